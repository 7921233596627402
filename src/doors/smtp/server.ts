import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import {
  SMTPServer,
  type SMTPServerAddress,
  type SMTPServerAuthentication,
  type SMTPServerAuthenticationResponse,
  type SMTPServerOptions,
  type SMTPServerSession,
} from "smtp-server";
import type { SMTPConnectionOptions } from "smtp-server/lib/smtp-connection.js";
import { Unavailable } from "../../kit/trouble.ts";
import { isPositive, type Reply, writeReply } from "../../mail/replies.ts";
import { isOwn, type Recipient } from "../../mail/views.ts";
import { isReply } from "../intake.ts";
import { troubleReply } from "../spoken.ts";
import { Spoken, Unspoken } from "./answers.ts";
import { type ReadAddress, RelayConnection } from "./connection.ts";
import type { Relay, SmtpParts } from "./relay.ts";
import { newSessionId } from "./session-id.ts";
import { senderOf, type Visit } from "./visit.ts";

type Callback = (error?: Error | null) => void;

const MAIL_PARAMS = new Set(["SIZE", "BODY", "SMTPUTF8", "RET", "ENVID", "AUTH"]);
const RCPT_PARAMS = new Set(["NOTIFY", "ORCPT"]);

/** smtp-server takes refusals as errors whose message it sends; ours carries the whole reply, and no stack: that took a tenth of a refusal's time. */
const refused = (responseCode: number, message: Spoken | Unspoken): Error =>
  ({ name: "Refusal", responseCode, message }) as unknown as Error;
const refusal = (reply: Reply): Error => refused(reply.code, new Spoken(reply));

/** smtp-server with our connection class; its hooks are translated into the calls of intake and back. */
export class RelayServer extends SMTPServer implements Relay<RelayConnection> {
  readonly parts: SmtpParts;
  /** smtp-server keeps one session object for the life of a connection. */
  readonly visits = new WeakMap<SMTPServerSession, Visit>();

  constructor(options: SMTPServerOptions, parts: SmtpParts) {
    super(options);
    this.parts = parts;
  }

  override connect(socket: Socket | TLSSocket, options?: SMTPConnectionOptions | null): void {
    const connection = new RelayConnection(this, socket, options);
    this.connections.add(connection);
    connection.on("error", (error) => this._onError(error));
    connection.init();
  }

  /** With ids of our own, and without a turn of the event loop where no header is to come. */
  override _handleProxy(socket: Socket, callback: Parameters<SMTPServer["_handleProxy"]>[1]): void {
    if (this._expectsProxyHeader(socket)) super._handleProxy(socket, callback);
    else callback(null, { id: newSessionId() });
  }

  override _expectsProxyHeader(socket: Socket): boolean {
    return this.parts.proxyHeader && this.parts.settings().trustedProxies.has(socket.remoteAddress ?? "");
  }

  /** On the way down: a client between two mails is told to come back, one in the middle of a mail may end it. */
  hangUpIdle(): void {
    for (const connection of this.connections) {
      if (connection instanceof RelayConnection && !connection.busy) {
        connection.send(421, new Spoken(writeReply("shutting-down")) as unknown as string);
      }
    }
  }

  /** Counts the connection and lets it in, at once or, for a stranger where the operator wants it, after a moment. */
  admit(connection: RelayConnection, ready: () => void): void {
    const { perAddress } = this.parts;
    const { limits } = this.parts.settings();
    const ip = connection.remoteAddress;
    if (this.connections.size > limits.connectionsMax || !perAddress.enter(ip)) {
      return connection._refuse(refusal(writeReply("too-many-connections")), false);
    }
    connection.onceClosed(() => perAddress.leave(ip));
    if (limits.greetingDelayMs === 0) return ready();
    connection._resetSession();
    connection.visit.glance(connection.session).then(
      (session) => {
        if (isOwn(session)) return ready();
        setTimeout(ready, limits.greetingDelayMs).unref();
      },
      (error: unknown) => connection.breakOff(error),
    );
  }

  override onConnect(session: SMTPServerSession, callback: Callback): void {
    this.restrictAuth(session);
    this.settle(callback, async () => {
      // A register that is away does not shut the door: mail for local domains needs no client.
      const reception = await this.visitOf(session)
        .reach(session)
        .catch((error: unknown) => {
          if (error instanceof Unavailable) return undefined;
          throw error;
        });
      return reception?.connect();
    });
  }

  override onSecure(socket: Socket | TLSSocket, session: SMTPServerSession, callback: Callback): void {
    const cipher = session.tlsOptions ? session.tlsOptions.name : "";
    const version = "getProtocol" in socket ? socket.getProtocol() : null;
    this.visitOf(session).tls = `${version ?? "TLS"} ${cipher}`.trim();
    this.restrictAuth(session);
    callback();
  }

  override onAuth(
    auth: SMTPServerAuthentication,
    session: SMTPServerSession,
    callback: (error: Error | null | undefined, response?: SMTPServerAuthenticationResponse) => void,
  ): void {
    const visit = this.visitOf(session);
    this.authenticate(auth).then(
      (client) => {
        if (client) visit.login(client);
        else visit.authFailures += 1;
        if (client) return callback(null, { user: client.id });
        const last = visit.authFailures >= this.parts.settings().limits.authFailuresMax;
        callback(null, { message: "wrong login or password", responseCode: last ? 421 : 535 });
      },
      (error: unknown) => {
        troubleReply(error, this.parts.log);
        callback(null, { message: "logins cannot be checked now; try again later", responseCode: 454 });
      },
    );
  }

  override onMailFrom(address: SMTPServerAddress, session: SMTPServerSession, callback: Callback): void {
    this.settle(callback, async () => {
      const { path, args } = address as unknown as ReadAddress;
      const odd = oddPath(path.address?.text ?? "", args, { allowed: MAIL_PARAMS, utf8: session.envelope.smtpUtf8 });
      if (odd) return odd;
      const visit = this.visitOf(session);
      const sizeBytes = args && args.SIZE !== undefined ? Number(args.SIZE) : undefined;
      const answer = await (await visit.reach(session)).mail(senderOf(session, path.address, sizeBytes));
      if (isReply(answer)) return answer;
      visit.transaction = answer;
      return undefined;
    });
  }

  override onRcptTo(address: SMTPServerAddress, session: SMTPServerSession, callback: Callback): void {
    let isAnswered = false;
    const answer: Callback = (error) => {
      if (!isAnswered) callback(error);
      isAnswered = true;
    };
    // The connection reads on while a refusal is written down; its answer keeps its place.
    const readOn = ({ code }: Reply, spoken: Promise<Reply>): void => {
      if (code !== 421) answer(refused(code, new Unspoken(spoken)));
    };
    this.settle(answer, async () => {
      const { path, args } = address as unknown as ReadAddress;
      const odd = oddPath(address.address, args, { allowed: RCPT_PARAMS, utf8: session.envelope.smtpUtf8 });
      if (odd || !path.address) return odd ?? syntaxReply(501, "5.1.3", "RCPT needs an address");
      const key = address.address.toLowerCase();
      if (session.envelope.rcptTo.some((known) => known.address.toLowerCase() === key)) return undefined;
      const recipient: Recipient = {
        address: path.address,
        ...(address.dsn?.notify && { notify: address.dsn.notify }),
        ...(address.dsn?.orcpt && { orcpt: address.dsn.orcpt }),
        ...(path.sourceRoute !== undefined && { sourceRoute: path.sourceRoute }),
      };
      const reply = await this.visitOf(session).transaction?.rcpt(recipient, readOn);
      return reply && isPositive(reply) ? undefined : (reply ?? writeReply("local-trouble"));
    });
  }

  /** Runs a step and gives smtp-server its answer; nothing that is thrown lets a client through. */
  private settle(callback: Callback, step: () => Promise<Reply | undefined>): void {
    void step().then(
      (reply) => callback(reply && refusal(reply)),
      (error: unknown) => callback(refusal(troubleReply(error, this.parts.log))),
    );
  }

  private authenticate(auth: SMTPServerAuthentication) {
    const { clients } = this.parts;
    const name = auth.username ?? "";
    return auth.method === "XCLIENT" ? clients.byId(name) : clients.authenticate(name, auth.password ?? "");
  }

  /** AUTH in the clear is not even offered (RFC 4954 4), unless the listener says so. */
  private restrictAuth(session: SMTPServerSession): void {
    const hidden = this.options.disabledCommands;
    session.disabledCommands = this.parts.requireTls && !session.secure ? [...hidden, "AUTH"] : [...hidden];
  }

  private visitOf(session: SMTPServerSession): Visit {
    const visit = this.visits.get(session);
    if (!visit) throw new Error("a session without a connection");
    return visit;
  }
}

const syntaxReply = (code: number, enhanced: string, line: string): Reply => ({ code, enhanced, lines: [line] });

/** What RFC 6531 3.5 and RFC 5321 4.1.1.11 refuse before any rule looks. */
function oddPath(
  address: string,
  args: ReadAddress["args"],
  { allowed, utf8 }: { allowed: ReadonlySet<string>; utf8: boolean | undefined },
): Reply | undefined {
  const unknown = Object.keys(args || {}).find((key) => !allowed.has(key));
  if (unknown) return syntaxReply(555, "5.5.4", `parameter ${unknown} is not supported`);
  if (!utf8 && /[^\x00-\x7f]/.test(address)) return syntaxReply(553, "5.6.7", "non-ASCII address without SMTPUTF8");
  return undefined;
}
