import { Unavailable } from "../../kit/trouble.ts";
import { Connection } from "./connection.ts";
import { greet, type Left, type Server } from "./greet.ts";

export interface PoolOptions {
  /** Open at the same time, ≥ 1. */
  readonly connectionsMax: number;
  /** An unused connection is closed after this long. */
  readonly idleMs: number;
  /** A connection is closed after so many mails, ≥ 1. */
  readonly mailsPerConnectionMax: number;
  /** Longest wait for one step of a mail. */
  readonly timeoutMs: number;
}

/** Mails that may wait for a connection, for each connection there may be. */
const WAITING_PER_CONNECTION_MAX = 50;
/** Nobody waits for these two, so a server that is slow with them is not worth its place. */
const RSET_MS_MAX = 5_000;
const QUIT_MS = 1_000;

interface Waiting {
  readonly left: Left;
  readonly timer: NodeJS.Timeout;
  resolve(connection: Connection | Promise<Connection>): void;
  reject(error: Unavailable): void;
}

/** Milliseconds until `timeoutMs` from now, at least 1. */
export function countdown(timeoutMs: number): Left {
  const endMs = performance.now() + timeoutMs;
  return () => Math.max(1, endMs - performance.now());
}

/**
 * Kept connections to one server. The last used goes out first, so that the others can grow old and close; a mail that
 * finds none free waits in a bounded line. A connection belongs to one mail from `get` to `release`, `reset` or its end.
 */
export class Pool {
  readonly #server: Server;
  readonly #options: PoolOptions;
  readonly #all = new Set<Connection>();
  readonly #idle: { readonly connection: Connection; readonly sinceMs: number }[] = [];
  readonly #waiting: Waiting[] = [];
  #sweeper: NodeJS.Timeout | undefined;
  #isClosing = false;
  #onEmpty = (): void => {};

  constructor(server: Server, options: PoolOptions) {
    this.#server = server;
    this.#options = options;
  }

  /** Open, in use or not. */
  get size(): number {
    return this.#all.size;
  }

  /** When the kept connection that is unused for longest was last used; undefined: none is. */
  get idleSinceMs(): number | undefined {
    return this.#idle[0]?.sinceMs;
  }

  /** Closes the kept connection that is unused for longest. */
  dropIdle(): void {
    this.#quit(this.#idle.shift()?.connection);
  }

  /** A kept connection, if one is free right now. */
  take(): Connection | undefined {
    const connection = this.#idle.pop()?.connection;
    if (connection) lend(connection);
    return connection;
  }

  /**
   * A new connection, ready for MAIL; when there may be no more of them, the first that becomes free.
   * @throws Unavailable
   */
  async get(left: Left): Promise<Connection> {
    if (this.#isClosing) throw this.#trouble("closing");
    if (this.#all.size < this.#options.connectionsMax) return this.#open(left);
    if (this.#waiting.length >= WAITING_PER_CONNECTION_MAX * this.#options.connectionsMax) {
      throw this.#trouble(`${this.#waiting.length} mails wait for a connection already`);
    }
    return new Promise((resolve, reject) => {
      const waiting: Waiting = { left, timer: setTimeout(() => this.#giveUp(waiting), left()), resolve, reject };
      this.#waiting.push(waiting);
    });
  }

  /** Takes back a connection on which no mail is under way. */
  release(connection: Connection): void {
    if (connection.isDead) return;
    const isUsedUp = this.#isClosing || connection.mails >= this.#options.mailsPerConnectionMax;
    const next = isUsedUp ? undefined : this.#next();
    if (isUsedUp) {
      this.#quit(connection);
    } else if (next) {
      lend(connection);
      next.resolve(connection);
    } else {
      this.#idle.push({ connection, sinceMs: performance.now() });
      this.#sweeper ??= setTimeout(() => this.#sweep(), this.#options.idleMs).unref();
    }
  }

  /** Takes back a connection with a mail begun that shall not be: RSET first. Never throws. */
  reset(connection: Connection): void {
    connection.askOne("RSET", "RSET", Math.min(RSET_MS_MAX, this.#options.timeoutMs)).then(
      (reply) => {
        if (reply.code === 250) this.release(connection);
        else connection.fail(this.#trouble(`RSET was answered ${reply.code}`));
      },
      () => {},
    );
  }

  /** No new mails; those under way have `graceMs`. */
  async close(graceMs: number): Promise<void> {
    this.#isClosing = true;
    clearTimeout(this.#sweeper);
    for (const { connection } of this.#idle.splice(0)) this.#quit(connection);
    for (let next = this.#next(); next; next = this.#next()) next.reject(this.#trouble("closing"));
    if (this.#all.size > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, graceMs);
        this.#onEmpty = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    for (const connection of this.#all) connection.fail(this.#trouble("closing"));
  }

  async #open(left: Left): Promise<Connection> {
    const connection = new Connection(this.#server.endpoint, this.#server.name);
    this.#all.add(connection);
    connection.onEnd = () => this.#gone(connection);
    try {
      await greet(connection, this.#server, left);
    } catch (error) {
      connection.fail(error instanceof Unavailable ? error : this.#trouble("could not be greeted"));
      throw error;
    }
    return connection;
  }

  #gone(connection: Connection): void {
    this.#all.delete(connection);
    const at = this.#idle.findIndex((kept) => kept.connection === connection);
    if (at >= 0) this.#idle.splice(at, 1);
    if (this.#all.size === 0) this.#onEmpty();
    if (this.#isClosing) return;
    const next = this.#next();
    next?.resolve(this.#open(next.left));
  }

  #next(): Waiting | undefined {
    const next = this.#waiting.shift();
    clearTimeout(next?.timer);
    return next;
  }

  #giveUp(waiting: Waiting): void {
    this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
    waiting.reject(this.#trouble(`all ${this.#all.size} connections are busy`));
  }

  #sweep(): void {
    const bornMs = performance.now() - this.#options.idleMs;
    while (this.#idle[0] && this.#idle[0].sinceMs <= bornMs + 1) this.#quit(this.#idle.shift()?.connection);
    const oldest = this.#idle[0];
    this.#sweeper = oldest && setTimeout(() => this.#sweep(), oldest.sinceMs - bornMs).unref();
  }

  #quit(connection: Connection | undefined): void {
    const end = (): void => connection?.fail(this.#trouble("closed by us"));
    connection?.askOne("QUIT", "QUIT", QUIT_MS).then(end, end);
  }

  #trouble(what: string): Unavailable {
    return new Unavailable("next-hop", `${this.#server.name}: ${what}`);
  }
}

function lend(connection: Connection): void {
  connection.isReused = true;
  connection.isAnswered = false;
}
