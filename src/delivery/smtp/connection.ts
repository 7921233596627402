import { connect, type Socket } from "node:net";
import { type ConnectionOptions, connect as tlsConnect } from "node:tls";
import type { Unavailable } from "../../kit/trouble.ts";
import { atEndOfTurn } from "../../kit/turn.ts";
import { Broken, type How, howOf } from "./broken.ts";
import { type Extensions, readExtensions } from "./extensions.ts";
import { ReplyReader, type ServerReply } from "./replies-in.ts";

/** Where a server listens; from which of our addresses it is called may be part of it. */
export type Endpoint =
  | { readonly host: string; readonly port: number; readonly localAddress?: string }
  | { readonly path: string };

/** What ends a wait for replies: so many of them, or a silence. */
export interface Wait {
  readonly replies: number;
  readonly timeoutMs: number;
  /** The time is for each reply, not for all together. */
  readonly each?: boolean;
}

const NO_EXTENSIONS: Extensions = readExtensions([]);
const nothing = (): void => {};
/** What a server says is read as text before anybody else comes to speak, so all connections share one buffer and no stream. */
const IN_HAND = Buffer.allocUnsafeSlow(65_536);

/** Node keeps a list of timers for each length: long waits are rounded up to seconds, so that thousands share a few. */
const coarse = (timeoutMs: number): number => (timeoutMs < 5_000 ? timeoutMs : Math.ceil(timeoutMs / 1_000) * 1_000);

/**
 * One connection to the next hop: writes, waits for replies, and dies once. Half-duplex, as SMTP is: at most one wait is
 * under way at a time, each has its own time limit, and whatever goes wrong ends the connection and rejects the wait with
 * Unavailable("next-hop"). It knows no SMTP beyond the form of replies; greeting and mails are beside it.
 */
export class Connection {
  extensions = NO_EXTENSIONS;
  isEncrypted = false;
  /** Encrypted, and the certificate was checked. */
  isVerified = false;
  /** Mails handed over. */
  mails = 0;
  /** It lay idle since an earlier mail; set by the pool together with `isAnswered = false`. */
  isReused = false;
  /** A reply came since. */
  isAnswered = false;
  /** The peer went, not we. */
  isLost = false;
  /** What the server said without being asked, which ended the connection. */
  unasked: ServerReply | undefined;
  onEnd: () => void = nothing;

  readonly #name: string;
  readonly #reader = new ReplyReader();
  #socket: Socket;
  #step = "connecting";
  #timer: NodeJS.Timeout | undefined;
  #timerMs = 0;
  #dead: Unavailable | undefined;
  #replies: ServerReply[] = [];
  #wanted = 0;
  #eachHasItsTime = false;
  #onReplies: ((replies: readonly ServerReply[]) => void) | undefined;
  #onDrain: (() => void) | undefined;
  #reject: ((error: unknown) => void) | undefined;

  constructor(endpoint: Endpoint, name: string) {
    this.#name = name;
    // Half-written mails must not sit in a buffer after we have given up, so the end of either side is the end.
    const onread = { buffer: IN_HAND, callback: (bytes: number) => this.#read(IN_HAND.subarray(0, bytes)) };
    this.#socket = connect({ ...endpoint, noDelay: true, allowHalfOpen: false, onread });
    this.#listen(this.#socket);
  }

  get isDead(): boolean {
    return this.#dead !== undefined;
  }

  /** What is, or was last, waited for. */
  get step(): string {
    return this.#step;
  }

  /** Address of the server; absent for a unix socket. */
  get remoteIp(): string | undefined {
    return this.#socket.remoteAddress;
  }

  /** @throws Unavailable */
  connected(timeoutMs: number): Promise<void> {
    return this.#wait("connecting", timeoutMs, (done) => this.#socket.once("connect", done));
  }

  /**
   * Goes over to TLS. Whatever came in clear text behind the reply that allowed it is an attack or nonsense, never
   * a part of the encrypted talk.
   */
  encrypt(options: ConnectionOptions, timeoutMs: number): Promise<void> {
    return this.#wait("TLS handshake", timeoutMs, (done) => {
      if (!this.#reader.isIdle) return this.fail(this.#trouble("tls", "clear text after STARTTLS"));
      const socket = tlsConnect({ ...options, socket: this.#socket });
      this.#socket = socket;
      socket.on("data", (piece: Buffer) => void this.#read(piece));
      this.#listen(socket);
      socket.once("secureConnect", () => {
        this.isEncrypted = true;
        this.isVerified = socket.authorized;
        done();
      });
    });
  }

  /**
   * Writes once, at the end of the turn, and waits for so many replies. Pieces go out together.
   * @param step names it in error messages
   */
  ask(text: string | readonly Buffer[], step: string, wait: Wait): Promise<readonly ServerReply[]> {
    return this.#wait(step, wait.timeoutMs, (done) => {
      this.#wanted = wait.replies;
      this.#eachHasItsTime = wait.each === true;
      this.#replies = [];
      this.#onReplies = done;
      if (text.length > 0) atEndOfTurn(() => this.#dead || this.#put(text));
    });
  }

  #put(text: string | readonly Buffer[]): void {
    if (typeof text === "string") return void this.#socket.write(text);
    this.#socket.cork();
    for (const piece of text) this.#socket.write(piece);
    this.#socket.uncork();
  }

  /** The same for one command without CRLF and its one reply. */
  async askOne(command: string, step: string, timeoutMs: number): Promise<ServerReply> {
    const [reply] = await this.ask(command && `${command}\r\n`, step, { replies: 1, timeoutMs });
    if (!reply) throw new Error("a wait for one reply ended without one");
    return reply;
  }

  /** Writes a piece of a mail; resolves when the next may follow. */
  write(piece: Buffer, timeoutMs: number): Promise<void> {
    return this.#wait("sending the mail", timeoutMs, (done) => {
      if (this.#socket.write(piece)) done();
      else this.#onDrain = done;
    });
  }

  /** Waits for work elsewhere, but no longer than for the time given nor than the connection lasts. */
  during<T>(work: Promise<T>, step: string, timeoutMs: number): Promise<T> {
    work.catch(nothing);
    return this.#wait(step, timeoutMs, (done, fail) => {
      work.then(done, fail);
    });
  }

  /** Ends it; the first reason counts. What the server has not read by now it never will. */
  fail(reason: Unavailable): void {
    if (this.#dead) return;
    this.#dead = reason;
    clearTimeout(this.#timer);
    this.#socket.destroy();
    this.#onReplies = undefined;
    this.#onDrain = undefined;
    this.#reject?.(reason);
    this.onEnd();
  }

  #wait<T>(step: string, timeoutMs: number, start: (done: (value: T) => void, fail: (error: unknown) => void) => void) {
    return new Promise<T>((resolve, reject) => {
      if (this.#dead) return reject(this.#dead);
      this.#step = step;
      this.#watch(coarse(timeoutMs));
      const fail = (error: unknown): void => {
        this.#calm();
        reject(error);
      };
      this.#reject = fail;
      start((value) => {
        this.#calm();
        resolve(value);
      }, fail);
    });
  }

  /** Three waits a mail: one timer is wound up again instead of being made anew; between waits it runs out unheard. */
  #watch(timeoutMs: number): void {
    if (this.#timer && this.#timerMs === timeoutMs) {
      this.#timer.refresh();
      return;
    }
    clearTimeout(this.#timer);
    this.#timerMs = timeoutMs;
    this.#timer = setTimeout(() => {
      if (this.#reject) this.fail(this.#trouble("timeout", `no end in ${timeoutMs} ms`));
    }, timeoutMs).unref();
  }

  #calm(): void {
    this.#reject = undefined;
  }

  #listen(socket: Socket): void {
    socket.on("drain", () => {
      const done = this.#onDrain;
      this.#onDrain = undefined;
      done?.();
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      this.#lost(howOf(error.code, this.#step), error.code ?? "broken", { cause: error });
    });
    socket.on("end", () => this.#lost(howOf(undefined, this.#step), "closed by the server"));
    socket.on("close", () => this.#lost(howOf(undefined, this.#step), "closed"));
  }

  /** @returns whether to go on reading */
  #read(piece: Buffer): boolean {
    try {
      for (const reply of this.#reader.push(piece)) this.#take(reply);
    } catch (error) {
      this.fail(this.#trouble("garbled", error instanceof Error ? error.message : "garbage", { cause: error }));
    }
    return !this.#dead;
  }

  #take(reply: ServerReply): void {
    if (this.#dead) return;
    const done = this.#onReplies;
    if (reply.code === 421) {
      this.#lost("said", "the server says 421", { said: reply });
    } else if (!done) {
      this.unasked = reply;
      this.fail(this.#trouble("said", `the server says ${reply.code} unasked`, { said: reply }));
    } else {
      this.isAnswered = true;
      if (this.#replies.push(reply) < this.#wanted)
        return this.#eachHasItsTime ? void this.#timer?.refresh() : undefined;
      this.#onReplies = undefined;
      done(this.#replies);
    }
  }

  #lost(how: How, what: string, more: { cause?: unknown; said?: ServerReply } = {}): void {
    if (this.#dead) return;
    this.isLost = true;
    this.fail(this.#trouble(how, what, more));
  }

  #trouble(how: How, what: string, more: { cause?: unknown; said?: ServerReply } = {}): Unavailable {
    const heard = this.#onReplies ? this.#replies : [];
    return new Broken({ name: this.#name, step: this.#step }, how, { what, heard, ...more });
  }
}
