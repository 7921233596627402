import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { SMTPConnection, type SMTPConnectionOptions } from "smtp-server/lib/smtp-connection.js";
import { decodeXtext, type Path, parsePathWithParams } from "../../mail/path.ts";
import { type Reply, writeReply } from "../../mail/replies.ts";
import { createContentWriter } from "../content-writer.ts";
import { troubleReply } from "../spoken.ts";
import { createAnswers, Spoken, Unspoken, written } from "./answers.ts";
import { DataReader } from "./data-reader.ts";
import type { Relay } from "./relay.ts";
import { RelayStream } from "./stream.ts";
import { Visit } from "./visit.ts";

/** A path as smtp-server's handlers pass it on, with our own reading beside it. */
export interface ReadAddress {
  address: string;
  args: Record<string, string | true> | false;
  readonly path: Path;
}

type Handler = (command: Buffer, callback: () => void) => void;
const nothing = (): void => {};
const SPACE = 32;

/** ESMTP parameters whose values are xtext (RFC 3461 4). */
const XTEXT = new Set(["ENVID", "ORCPT"]);
/** Commands that change nothing and so count as "without mail", as every command does that is refused. */
const IDLE = new Set(["NOOP", "RSET", "HELO", "EHLO", "VRFY", "HELP", "AUTH"]);
/** Commands that are looked at while refusals before them are still being written down: none of them hangs on how that ends. */
const AHEAD = new Set(["MAIL", "RCPT", "RSET"]);
/** Most refusals of one connection that are being written down at a time. */
const KEPT_MAX = 16;

/**
 * One SMTP connection: smtp-server's, with what this relay does differently – our replies and addresses, our reader of mail
 * text, no greeting delay for everyone, bounds on commands without mail. test/doors/smtp holds it to the pinned release.
 */
export class RelayConnection extends SMTPConnection {
  readonly visit: Visit;
  /** When the last command or mail was whole, on the clock that never jumps; see patience.ts. */
  progressAt = performance.now();
  /** Since when a mail has been coming in. */
  receivingSince: number | undefined;
  private readonly relay: Relay<RelayConnection>;
  private readonly answers = createAnswers((lines) => {
    if (!this._upgrading && this._socket.readyState === "open") this._socket.write(lines);
  });
  /** Not listeners of the socket: smtp-server strips those when it changes to TLS. */
  private readonly whenClosed = new Set<() => void>();

  constructor(relay: Relay<RelayConnection>, socket: Socket | TLSSocket, options?: SMTPConnectionOptions | null) {
    super(relay, socket, options);
    this.relay = relay;
    this.visit = new Visit(relay.parts);
    relay.visits.set(this.session, this.visit);
  }

  /** A mail is under way, or an answer is due. */
  get busy(): boolean {
    return this.visit.transaction !== undefined || this._handlerPending || this.answers.kept > 0;
  }

  /** Runs once when the connection is gone. @returns how to take it back */
  onceClosed(action: () => void): () => void {
    this.whenClosed.add(action);
    return () => this.whenClosed.delete(action);
  }

  /** EXPN would give lists away (RFC 5321 7.3). */
  handler_EXPN(_command: Buffer, callback: () => void): void {
    this.send(502, "not available here");
    callback();
  }

  /** smtp-server makes everybody wait 100 ms to catch who talks first; we greet at once, or delay strangers on request. */
  override init(): void {
    this._setListeners(() => this.relay.admit(this, () => this.connectionReady()));
  }

  override _createParser(): RelayStream {
    const parser = new RelayStream({ maxCommandLength: this._server.options.maxCommandLength });
    parser.oncommand = (command, callback) => this._onCommand(command, callback);
    parser.on("error", () => this.send(421, "command line too long"));
    return parser;
  }

  /** What a refused MAIL said of SMTPUTF8, BODY and DSN is forgotten: smtp-server would hold the next one to it. */
  override _applyMailParams(parsed: ReadAddress): void {
    super._resetSession();
    super._applyMailParams(parsed);
  }

  override send(code: number, data?: string | string[] | null, context?: string | false): void {
    if (code >= 400) this.visit.commandsSinceMail += 1;
    const said: unknown = data;
    if (said instanceof Unspoken) return this.answers.sayLater(said.reply);
    if (said instanceof Spoken && code !== 421) return this.answers.say(written(said.reply));
    const isAhead = this.answers.kept > 0;
    if ((code === 250 || isAhead) && code !== 421 && typeof data === "string") {
      return this.answers.say(written({ code, enhanced: this._getEnhancedStatusCode(code, context), lines: [data] }));
    }
    this.answers.whenNoneIsKept(() => this.sayAtOnce(code, data, context));
  }

  /** What smtp-server writes by itself it writes at once, and it may close or change to TLS behind it. */
  private sayAtOnce(code: number, data?: string | string[] | null, context?: string | false): void {
    const said: unknown = data;
    this.answers.flush();
    if (!(said instanceof Spoken)) return super.send(code, data, context);
    const lines = said.reply.lines.map((line) => `${said.reply.enhanced} ${line}`.trim());
    super.send(code, lines, false);
  }

  override close(): void {
    this.answers.flush();
    super.close();
  }

  override _onCommand(command: Buffer, callback?: () => void): void {
    this.progressAt = performance.now();
    const name = command.toString("latin1", 0, 4).toUpperCase();
    const { kept } = this.answers;
    if (kept > 0 && (kept >= KEPT_MAX || !AHEAD.has(name))) {
      return this.answers.whenNoneIsKept(() => {
        if (!this._closing && !this._closed) this._onCommand(command, callback);
      });
    }
    if (IDLE.has(name)) this.visit.commandsSinceMail += 1;
    if (this.visit.commandsSinceMail > this.relay.parts.settings().limits.commandsWithoutMailMax) {
      return this.send(421, "too many commands without a mail");
    }
    const handler = this.handlerOf(command, name);
    if (handler) this.handle(handler, command, callback);
    else super._onCommand(command, callback);
  }

  /**
   * MAIL, RCPT, DATA and RSET, HELO, EHLO and QUIT where smtp-server's own checks would let them through. Said with every mail, they need not be
   * read four times over, nor logged.
   */
  private handlerOf(command: Buffer, name: string): Handler | undefined {
    if (this._upgrading || this._server._closeTimeout || !this._ready || this._nextHandler) return undefined;
    if (command.length > 4 && command[4] !== SPACE) return undefined;
    if (name === "QUIT") return this.handler_QUIT;
    if (name === "EHLO" || name === "HELO") {
      this.openingCommand = name;
      return name === "EHLO" ? this.handler_EHLO : this.handler_HELO;
    }
    if (!this.hostNameAppearsAs) return undefined;
    if (name === "RCPT") return this.handler_RCPT;
    if (name === "MAIL") return this.handler_MAIL;
    if (name === "RSET") return this.handler_RSET;
    return name === "DATA" ? this.handler_DATA : undefined;
  }

  private handle(handler: Handler, command: Buffer, callback: () => void = nothing): void {
    const done = (): void => {
      this._handlerPending = false;
      this._whenWritable(callback);
    };
    this._handlerPending = true;
    try {
      handler.call(this, command, done);
    } catch (error) {
      this.answerTrouble(error);
      if (this._handlerPending) done();
    }
  }

  /** A bug in a step: an answer that leaves the mail with the client. */
  private answerTrouble(error: unknown): void {
    const reply = troubleReply(error, this.relay.parts.log);
    this.send(reply.code, new Spoken(reply) as unknown as string);
  }

  override _parseAddressCommand(rawName: string, rawCommand: Buffer | string): ReadAddress | false {
    const text = rawCommand.toString();
    const colon = text.indexOf(":");
    if (text.slice(0, colon).trim().replace(/\s+/g, " ").toUpperCase() !== rawName.toUpperCase()) return false;
    const read = parsePathWithParams(text.slice(colon + 1).trim());
    if (!read) return false;
    const args: Record<string, string | true> = {};
    for (const [key, value] of read.params) {
      const decoded = XTEXT.has(key) && value !== true ? decodeXtext(value) : value;
      if (decoded === undefined) return false;
      args[key] = decoded;
    }
    return { address: read.path.address?.text ?? "", args: read.params.size > 0 && args, path: read.path };
  }

  override _proxyCommandAllowed(command: string): boolean {
    return (
      !this._xClient.has("ADDR") &&
      this.relay.parts.settings().trustedProxies.has(this._originalRemoteAddress) &&
      this._isSupported(command)
    );
  }

  override _resetSession(): void {
    this.visit?.endMail();
    super._resetSession();
  }

  override handler_DATA(_command: Buffer, callback: () => void): void {
    if (!this.visit.transaction || this.session.envelope.rcptTo.length === 0) {
      this.send(503, "need MAIL and RCPT first");
      return callback();
    }
    this.answers.say("354 end with <CR><LF>.<CR><LF>\r\n");
    this.receiveMail();
    callback();
  }

  override _onClose(): void {
    this.visit.endMail();
    for (const action of this.whenClosed) action();
    this.whenClosed.clear();
    super._onClose();
  }

  private receiveMail(): void {
    const parser = this._parser as RelayStream;
    const { spillDir } = this.relay.parts;
    const { limits } = this.relay.parts.settings();
    const writer = createContentWriter({ ...limits, spillDir });
    const reader = new DataReader(limits, (slice) => parser.keep(writer, slice));
    const received = this.onceClosed(() => void writer.discard());
    this.receivingSince = performance.now();
    parser.receive({
      reader,
      writer,
      ended: (resume) => {
        received();
        this.receivingSince = undefined;
        this._handlerPending = true;
        this.concludeMail(reader, writer)
          .then((reply) => {
            this.answerMail(reply);
            resume();
          })
          .catch((error: unknown) => this.breakOff(error));
      },
    });
  }

  /** Never rejects: whatever goes wrong is an answer that leaves the mail with the client. */
  private async concludeMail(reader: DataReader, writer: ReturnType<typeof createContentWriter>): Promise<Reply> {
    const transaction = this.visit.transaction;
    try {
      if (!transaction) return writeReply("local-trouble");
      if (reader.defect) {
        await writer.discard();
        return await transaction.refuse(reader.defect.reply, reader.defect.detail);
      }
      const content = await writer.finish();
      try {
        return await transaction.data(content);
      } finally {
        await content.dispose();
      }
    } catch (error) {
      return troubleReply(error, this.relay.parts.log);
    }
  }

  /** A bug in answering: this connection ends, the others go on. */
  breakOff(error: unknown): void {
    this.relay.parts.log.error({ err: error }, "a bug: the connection is broken off");
    this._socket.destroy();
  }

  private answerMail(reply: Reply): void {
    this.progressAt = performance.now();
    this._handlerPending = false;
    this.visit.commandsSinceMail = 0;
    this.visit.transaction = undefined;
    this.send(reply.code, new Spoken(reply) as unknown as string);
    this._transactionCounter += 1;
    this._unrecognizedCommands = 0;
    this._resetSession();
    if (this._server._closeTimeout) this.send(421, new Spoken(writeReply("shutting-down")) as unknown as string);
  }
}
