/**
 * One environment with its group commit: everything that waits to be written runs in one transaction and shares one flush.
 * While that is on its way to disk the next writes gather. So at most one commit is under way, a failed one leaves
 * nothing behind it, and the environment can be opened afresh before the next.
 *
 * Waits are bounded: a write that waits longer than `timeoutMs` fails and, when it was not begun, never runs. While a commit
 * hangs (another process holds LMDB's lock, the disk does not answer) further writes fail at once.
 */
import { setImmediate as breathe, setTimeout as sleep } from "node:timers/promises";
import { Unavailable } from "../../kit/trouble.ts";
import { type Dbs, type Handle, isLmdbError, openHandle, type Place, reasonText } from "./open.ts";

export interface EnvironmentOptions<Name extends string> extends Place<Name> {
  /** Longest wait for one write, ms. */
  readonly timeoutMs: number;
  /** A commit begins so many turns of the event loop later, when others have come, too: nothing when idle. */
  readonly companyTurns?: number;
  /** What is done once for all writes of a transaction; a lost one has a beginning, not always an end. */
  readonly around?: { begin(): void; end(dbs: Dbs<Name>): void };
}

const WAITING_MAX = 20_000;
/** How long writes that nobody waits for may wait for company, ms … */
const SOON_MS = 10;
/** … unless so many have come. */
const SOON_MAX = 256;
/** Records in one commit; bounds how long the transaction keeps the event loop and other processes waiting. */
const COMMIT_WEIGHT_MAX = 2_000;
/** After a failed commit writes are refused this long, so that a full disk is not hammered. */
const REST_MS = 250;

/** Whether somebody waits for a write, or only wants to know when it is on disk: then it waits a moment for others, and shares their flush. */
export type Urgency = "now" | "soon";

/** A write that waits. `run` is called inside a transaction, again if that has to be repeated. */
interface Write<Name extends string> {
  readonly weight: number;
  readonly when: Urgency;
  run(dbs: Dbs<Name>): void;
  succeed(): void;
  fail(error: unknown): void;
  repeated: boolean;
  settled: boolean;
}

/** lmdb-js says why a commit failed in a second promise, which must not stay unhandled. */
async function reasonOf(error: unknown): Promise<unknown> {
  const { commitError } = error as { commitError?: Promise<unknown> };
  if (!commitError) return error;
  return commitError.then(
    () => error,
    (reason: unknown) => reason,
  );
}

/** Otherwise `work` threw and the rest of the transaction may be on disk. */
const didNotCommit = (error: unknown): boolean => error instanceof Error && "commitError" in error;

export class Environment<Name extends string> {
  readonly #options: EnvironmentOptions<Name>;
  readonly #open: (place: Place<Name>) => Handle<Name>;
  #handle: Handle<Name> | undefined;
  #waiting: Write<Name>[] = [];
  /** How many of them somebody waits for. */
  #pressing = 0;
  #later: NodeJS.Timeout | undefined;
  #committing: Promise<void> | undefined;
  #commitSince: number | undefined;
  #renewing: Promise<void> | undefined;
  #rest: { untilMs: number; why: unknown } | undefined;
  #closed = false;

  /**
   * @param open is given by tests that need a disk to fail on demand
   * @throws Misuse, Unavailable as openHandle does
   */
  constructor(options: EnvironmentOptions<Name>, open: (place: Place<Name>) => Handle<Name> = openHandle) {
    this.#options = options;
    this.#open = open;
    this.#handle = open(options);
  }

  /** Runs a read; what it returns must be copied out of the rows. @throws Unavailable */
  async read<T>(work: (dbs: Dbs<Name>) => T): Promise<T> {
    if (this.#renewing) await this.#renewing;
    if (this.#closed) throw this.#trouble("closed");
    try {
      return work(this.#opened().dbs);
    } catch (error) {
      throw isLmdbError(error) ? this.#failure(error) : error;
    }
  }

  /**
   * Runs a change, all of it or nothing, and resolves when it is on disk. `work` may be called a second time when the first
   * transaction was lost; it does its checks before its first write, as what it wrote before throwing stays.
   *
   * @throws Unavailable when it is not, or not known to be, on disk
   */
  write<T>(work: (dbs: Dbs<Name>) => T, weight = 1, when: Urgency = "now"): Promise<T> {
    const refusal = this.#refusal();
    if (refusal) return Promise.reject(refusal);
    return new Promise<T>((resolve, reject) => {
      const { timeoutMs } = this.#options;
      const timer = setTimeout(() => write.fail(this.#trouble(`not written within ${timeoutMs} ms`)), timeoutMs);
      let result: T;
      const settle = (tell: () => void): void => {
        if (write.settled) return;
        write.settled = true;
        clearTimeout(timer);
        tell();
      };
      const write: Write<Name> = {
        weight,
        when,
        repeated: false,
        settled: false,
        run: (dbs) => {
          result = work(dbs);
        },
        succeed: () => settle(() => resolve(result)),
        fail: (error) => settle(() => reject(error)),
      };
      this.#waiting.push(write);
      if (when === "now") this.#pressing += 1;
      this.#begin();
    });
  }

  /** Commits what presses; what does not, a little later. */
  #begin(): void {
    if (this.#committing || this.#waiting.length === 0) return;
    if (this.#pressing > 0 || this.#waiting.length >= SOON_MAX || this.#closed) this.#commitNow();
    else this.#later ??= setTimeout(() => this.#commitNow(), SOON_MS);
  }

  #commitNow(): void {
    clearTimeout(this.#later);
    this.#later = undefined;
    this.#committing ??= this.#commitAll();
  }

  /** Writes what waits, then closes. Bounded by twice `timeoutMs`; an environment that hangs is left to the end of the process. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#begin();
    await Promise.race([this.#committing, this.#patience()]);
    const handle = this.#handle;
    this.#handle = undefined;
    if (handle && !this.#committing) await Promise.race([handle.close(), this.#patience()]);
  }

  /** A wait that keeps no process alive. */
  #patience(): Promise<void> {
    return sleep(this.#options.timeoutMs, undefined, { ref: false });
  }

  #trouble(why: string, cause?: unknown): Unavailable {
    return new Unavailable(this.#options.dependency, `embedded store ${this.#options.dir}: ${why}`, cause);
  }

  #refusal(): Unavailable | undefined {
    if (this.#closed) return this.#trouble("closed");
    if (this.#waiting.length >= WAITING_MAX) return this.#trouble(`${WAITING_MAX} writes are waiting`);
    const now = performance.now();
    if (this.#rest && now < this.#rest.untilMs) return this.#failure(this.#rest.why);
    if (this.#commitSince !== undefined && now - this.#commitSince > this.#options.timeoutMs) {
      return this.#trouble("the disk, or another process, holds up all writes");
    }
    return undefined;
  }

  #failure(why: unknown): Unavailable {
    return this.#trouble(reasonText(why), why);
  }

  async #commitAll(): Promise<void> {
    const { companyTurns = 0 } = this.#options;
    try {
      do {
        for (let turn = 0; turn < companyTurns; turn += 1) await breathe();
        await this.#commit();
      } while (this.#waiting.length > 0 && (this.#pressing > 0 || this.#closed));
    } finally {
      this.#committing = undefined;
      this.#begin();
    }
  }

  async #commit(): Promise<void> {
    const done: Write<Name>[] = [];
    this.#commitSince = performance.now();
    try {
      const { root, dbs } = this.#opened();
      await root.transaction(() => this.#runWaiting(dbs, done));
      for (const write of done) write.succeed();
    } catch (error) {
      await this.#recover(done, error);
    } finally {
      this.#commitSince = undefined;
    }
  }

  /** Opens again what a failure left closed, though not all the time. */
  #opened(): Handle<Name> {
    if (this.#handle) return this.#handle;
    if (this.#rest && performance.now() < this.#rest.untilMs) throw this.#failure(this.#rest.why);
    try {
      this.#handle = this.#open(this.#options);
      return this.#handle;
    } catch (error) {
      this.#takeRest(error);
      throw this.#failure(error);
    }
  }

  #takeRest(why: unknown): void {
    this.#rest = { untilMs: performance.now() + REST_MS, why };
  }

  /** Runs inside the transaction. What arrives while it waits for its turn still gets in. */
  #runWaiting(dbs: Dbs<Name>, done: Write<Name>[]): void {
    let weight = 0;
    this.#options.around?.begin();
    while (weight < COMMIT_WEIGHT_MAX) {
      const write = this.#waiting.shift();
      if (!write) break;
      if (write.when === "now") this.#pressing -= 1;
      if (write.settled) continue;
      weight += write.weight;
      done.push(write);
      try {
        write.run(dbs);
      } catch (error) {
        // LMDB's own trouble spoils the transaction: its commit fails, and says so to everybody in it.
        if (isLmdbError(error)) throw error;
        write.fail(error);
      }
    }
    this.#options.around?.end(dbs);
  }

  /**
   * Nothing of a failed commit is visible. LMDB's own errors (below 0) are rare faults of its free list under several
   * writing processes: repeated once. The rest is the disk: everybody is told, and told at once for a while.
   */
  async #recover(lost: Write<Name>[], error: unknown): Promise<void> {
    const why = await reasonOf(error);
    const repeatable = didNotCommit(error) && isLmdbError(why) && why.code < 0;
    const repeat = repeatable ? lost.filter((write) => !write.repeated && !write.settled) : [];
    for (const write of repeat) write.repeated = true;
    for (const write of lost) if (!repeat.includes(write)) write.fail(this.#failure(why));
    if (repeat.length === 0) {
      for (const write of this.#waiting.splice(0)) write.fail(this.#failure(why));
      this.#pressing = 0;
      this.#takeRest(why);
    }
    await this.#renew();
    this.#waiting.unshift(...repeat);
    this.#pressing += repeat.filter(({ when }) => when === "now").length;
  }

  /** A failed write of the meta page makes LMDB refuse everything until it is opened again. */
  async #renew(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    const reopen = async (): Promise<void> => {
      await Promise.race([handle?.close(), this.#patience()]);
      try {
        this.#handle = this.#open(this.#options);
      } catch {
        // The next read or write tries again, and says why not.
      }
    };
    this.#renewing = reopen();
    await this.#renewing;
    this.#renewing = undefined;
  }
}
