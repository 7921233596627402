import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { Answer, ReceivedMail, ScriptOptions, Step } from "./scripted-server.ts";

const TERMINATOR = Buffer.from("\r\n.\r\n");

/** What all connections of one server share. */
export interface Shared {
  readonly seen: { commands: string[]; reads: string[]; mails: ReceivedMail[] };
  answerFor(step: Step): Answer | undefined;
}

/** One connection of the scripted server: reads lines and mails, answers by the script or well. */
export class ScriptedTalk {
  readonly #plain: Socket;
  readonly #options: ScriptOptions;
  readonly #shared: Shared;
  #socket: Socket;
  #buffer = Buffer.alloc(0);
  #mode: "commands" | "mail" | "silent" = "commands";
  #from = "";
  #recipients: string[] = [];
  #xforward: string[] = [];
  #loginLines = 0;
  #written = Promise.resolve();

  constructor(socket: Socket, options: ScriptOptions, shared: Shared) {
    this.#plain = socket;
    this.#socket = socket;
    this.#options = options;
    this.#shared = shared;
  }

  start(): void {
    this.#plain.setNoDelay(true);
    this.#plain.on("error", () => {});
    if (this.#options.implicitTls) this.#encrypt();
    else this.#listen();
    this.#answer("connect", "220 scripted.example ESMTP");
  }

  #listen(): void {
    this.#socket.on("data", (piece: Buffer) => this.#read(piece));
    this.#socket.on("error", () => {});
  }

  #encrypt(): void {
    this.#plain.removeAllListeners("data");
    this.#socket = new TLSSocket(this.#plain, { isServer: true, ...this.#options.tls });
    this.#listen();
  }

  #read(piece: Buffer): void {
    this.#shared.seen.reads.push(piece.toString("latin1"));
    this.#buffer = Buffer.concat([this.#buffer, piece]);
    let goOn = true;
    while (goOn && this.#mode !== "silent") goOn = this.#mode === "mail" ? this.#takeMail() : this.#takeLine();
  }

  #takeLine(): boolean {
    const lf = this.#buffer.indexOf("\n");
    if (lf < 0) return false;
    const line = this.#buffer.toString("utf8", 0, lf).replace(/\r$/, "");
    this.#buffer = this.#buffer.subarray(lf + 1);
    this.#shared.seen.commands.push(line);
    this.#command(line, line.split(" ", 1)[0]?.toUpperCase() ?? "");
    return true;
  }

  #command(line: string, verb: string): void {
    if (this.#loginLines > 0) return void this.#login();
    switch (verb) {
      case "EHLO":
      case "LHLO":
        return void this.#answer(verb, this.#hello());
      case "HELO":
      case "NOOP":
        return void this.#answer(verb, "250 2.0.0 ok");
      case "STARTTLS":
        if (this.#answer(verb, "220 2.0.0 go ahead")) this.#written = this.#written.then(() => this.#encrypt());
        return;
      case "AUTH":
        this.#loginLines = line.endsWith("LOGIN") ? 3 : 1;
        return void this.#login();
      case "QUIT":
        this.#answer(verb, "221 2.0.0 bye");
        return void this.#hangUp();
      default:
        return void this.#transaction(line, verb);
    }
  }

  #transaction(line: string, verb: string): void {
    switch (verb) {
      case "XFORWARD":
        this.#xforward.push(line);
        return void this.#answer(verb, "250 2.0.0 ok");
      case "MAIL":
        if (this.#answer(verb, "250 2.1.0 sender ok")) this.#from = line;
        return;
      case "RCPT":
        if (!this.#from) this.#say("503 5.5.1 MAIL first");
        else if (this.#answer(verb, "250 2.1.5 recipient ok")) this.#recipients.push(line);
        return;
      case "DATA":
        if (this.#answer(verb, "354 go on")) this.#mode = "mail";
        return;
      case "RSET":
        this.#forget();
        return void this.#answer(verb, "250 2.0.0 forgotten");
      default:
        return void this.#say("500 5.5.2 unknown");
    }
  }

  #takeMail(): boolean {
    const framed = Buffer.concat([Buffer.from("\r\n"), this.#buffer]);
    const at = framed.indexOf(TERMINATOR);
    if (at < 0) return false;
    const body = unstuffed(framed.subarray(2, at + 2));
    this.#buffer = framed.subarray(at + TERMINATOR.length);
    this.#mode = "commands";
    const recipients = this.#recipients;
    this.#shared.seen.mails.push({ from: this.#from, recipients, xforward: this.#xforward, body });
    this.#forget();
    const replies = this.#options.lmtp ? recipients.length : 1;
    const answer = (): void => {
      for (let i = 0; i < replies; i += 1) this.#answer("dot", "250 2.0.0 delivered");
    };
    if (this.#options.dotDelayMs) setTimeout(answer, this.#options.dotDelayMs);
    else answer();
    return true;
  }

  #forget(): void {
    this.#from = "";
    this.#recipients = [];
    this.#xforward = [];
  }

  #login(): void {
    this.#loginLines -= 1;
    this.#answer("AUTH", this.#loginLines > 0 ? "334 more" : "235 2.7.0 welcome");
  }

  #hello(): string {
    const lines = ["scripted.example", ...(this.#options.extensions ?? [])];
    return lines.map((text, i) => `250${i === lines.length - 1 ? " " : "-"}${text}`).join("\r\n");
  }

  /** @returns whether an answer of the good kind was given */
  #answer(step: Step, good: string): boolean {
    const given = this.#shared.answerFor(step) ?? good;
    if (given === "stall") this.#mode = "silent";
    else if (given === "close") this.#hangUp();
    else if (given === "deaf") {
      this.#say(good);
      this.#socket.pause();
    } else if (given === "mute") {
      this.#say(good);
      this.#mode = "silent";
    } else if (typeof given === "string") this.#say(given);
    else {
      this.#say(given.say);
      this.#hangUp();
    }
    return typeof given === "string" && given[0] === good[0];
  }

  /** In pieces with a turn of the event loop between them, never two replies mixed. */
  #say(text: string): void {
    const socket = this.#socket;
    const line = `${text}\r\n`;
    const bytes = this.#options.pieceBytes ?? line.length;
    this.#written = this.#written.then(async () => {
      for (let at = 0; at < line.length && !socket.destroyed; at += bytes) {
        socket.write(line.slice(at, at + bytes), "latin1");
        if (at + bytes < line.length) await new Promise((resolve) => setImmediate(resolve));
      }
    });
  }

  #hangUp(): void {
    this.#mode = "silent";
    this.#written = this.#written.then(() => this.#socket.destroySoon());
  }
}

/** Doubled dots single again (RFC 5321 4.5.2). */
const unstuffed = (lines: Buffer): Buffer =>
  Buffer.from(lines.toString("latin1").replace(/(^|\r\n)\./g, "$1"), "latin1");
