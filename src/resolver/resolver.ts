/**
 * DNS with bounds: every answer is kept for its TTL, a question that many ask at once is asked once, each question goes from
 * server to server until one answers or its time is over, and each mail has a budget. Nothing here retries behind anybody's back.
 * Servers that answer nothing at all are left alone for a moment (silence.ts).
 */
import type { Clock } from "../kit/clock.ts";
import type { Answer, KnowingNames, NameService, RecordOf, RecordType } from "../kit/names.ts";
import { Unavailable } from "../kit/trouble.ts";
import { type Budget, createBudgets } from "./budget.ts";
import { createAnswerCache, type Known } from "./cache.ts";
import { encodeName, followAliases, type Message } from "./packet.ts";
import { type DnsServer, openDnsServer, type Question, type ServerAddress } from "./server.ts";
import { createSilence, type Silence } from "./silence.ts";

export interface ResolverOptions {
  readonly servers: readonly ServerAddress[];
  /** Longest wait for the answer to one question, all servers together. */
  readonly timeoutMs: number;
  readonly budget: Budget;
  readonly cache: CacheOptions;
  /** Told of each question that no cache could answer: how long it took, ms, and whether anybody answered. */
  readonly onAsked?: (ms: number, answered: boolean) => void;
}

export interface CacheOptions {
  readonly entriesMax: number;
  readonly bytesMax: number;
  readonly ttlMaxMs: number;
  /** For "there is none". */
  readonly negativeTtlMaxMs: number;
  /** For "nobody answered", so that a silent server is not asked by every mail. */
  readonly failureTtlMs: number;
}

export interface Resolver extends NameService {
  close(): void;
}

/** Questions on their way; more are refused, so that a flood of names cannot eat the memory. */
const OPEN_MAX = 10_000;
const ALIASES_MAX = 8;
/** A negative answer without an SOA record says nothing about its time. */
const NEGATIVE_TTL_S = 60;
const NOERROR = 0;
const NXDOMAIN = 3;

/** Every resolver knows the root. */
const ROOT: Question = { wire: Buffer.from([0]), name: "", type: "A" };

const NOTHING: Answer<never> = Object.freeze({ records: [], exists: false });

interface Heard {
  readonly answer: Answer<unknown>;
  readonly ttlMs: number;
}

/** Opens no socket before the first question. */
export function createResolver(options: ResolverOptions, clock: Clock): Resolver {
  const servers = options.servers.map(openDnsServer);
  const cache = createAnswerCache(options.cache, clock);
  const open = new Map<string, Promise<Known>>();
  const silence = createSilence(
    {
      timeoutMs: options.timeoutMs,
      failureTtlMs: options.cache.failureTtlMs,
      probe: (signal) => Promise.any(servers.map((server) => server.ask(ROOT, signal).then(() => silence.heard()))),
    },
    clock,
  );
  const way = { ...options, servers, silence };

  /** A name in use is asked for again before its answer ends, so that nobody waits; a failure leaves the old answer its time. */
  const renew = (name: string, type: RecordType, key: string): void => {
    if (open.has(key) || open.size >= OPEN_MAX / 2) return;
    resolve({ name, type }, way).then(
      ({ answer, ttlMs }) => cache.put(key, { answer }, ttlMs),
      () => undefined,
    );
  };
  const find = async (name: string, type: RecordType, key: string): Promise<Known> => {
    try {
      const { answer, ttlMs } = await resolve({ name, type }, way);
      cache.put(key, { answer }, ttlMs);
      return { answer };
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      cache.put(key, { trouble: error }, options.cache.failureTtlMs);
      return { trouble: error };
    } finally {
      open.delete(key);
    }
  };
  const answerIn = <T extends RecordType>(known: Known): Answer<RecordOf[T]> => {
    if ("trouble" in known) throw known.trouble;
    return known.answer as Answer<RecordOf[T]>;
  };
  const names: KnowingNames = {
    known<T extends RecordType>(text: string, type: T) {
      const name = plain(text);
      const key = `${type} ${name}`;
      const known = cache.get(key, () => renew(name, type, key));
      return known && answerIn<T>(known);
    },
    async ask<T extends RecordType>(text: string, type: T): Promise<Answer<RecordOf[T]>> {
      const known = names.known(text, type);
      if (known) return known;
      const name = plain(text);
      const key = `${type} ${name}`;
      let pending = open.get(key);
      if (!pending) {
        silence.throwIfSilent();
        if (open.size >= OPEN_MAX) throw new Unavailable("dns", "too many questions at once");
        pending = find(name, type, key);
        open.set(key, pending);
      }
      return answerIn<T>(await pending);
    },
  };
  return {
    ask: names.ask,
    within: createBudgets(names, options.budget, clock),
    close() {
      for (const server of servers) server.close();
    },
  };
}

/** Lower case, without the root's dot. */
const plain = (name: string): string => (name.endsWith(".") ? name.slice(0, -1) : name).toLowerCase();

/** How questions go out. */
interface Way extends Omit<ResolverOptions, "servers"> {
  readonly servers: readonly DnsServer[];
  readonly silence: Silence;
}

/** One question to its end, aliases included. */
async function resolve(question: { name: string; type: RecordType }, way: Way): Promise<Heard> {
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), way.timeoutMs);
  const ended = way.silence.accompany();
  const began = performance.now();
  try {
    const heard = await walk(question, { ...way, deadline: deadline.signal });
    way.onAsked?.(performance.now() - began, true);
    return heard;
  } catch (error) {
    way.onAsked?.(performance.now() - began, false);
    throw error;
  } finally {
    clearTimeout(timer);
    ended(deadline.signal.aborted);
  }
}

async function walk(
  { name, type }: { name: string; type: RecordType },
  way: Way & { deadline: AbortSignal },
): Promise<Heard> {
  const { cache } = way;
  let ttl = Number.POSITIVE_INFINITY;
  let at = name;
  for (let aliases = 0; aliases <= ALIASES_MAX; aliases += 1) {
    const wire = encodeName(at);
    if (!wire) return { answer: NOTHING, ttlMs: cache.negativeTtlMaxMs };
    const message = await askInTurn({ wire, name: at, type }, way);
    const { found, ttl: foundTtl, open } = followAliases(message.answers, at, type);
    ttl = Math.min(ttl, foundTtl);
    if (found.length > 0) {
      const answer = { records: found.map(({ value }) => value), exists: true };
      return { answer, ttlMs: Math.min(ttl * 1000, cache.ttlMaxMs) };
    }
    if (open === undefined || message.rcode === NXDOMAIN || message.negativeTtl !== undefined) {
      const seconds = Math.min(ttl, message.negativeTtl ?? NEGATIVE_TTL_S);
      const answer = { records: [], exists: message.rcode !== NXDOMAIN };
      return { answer, ttlMs: Math.min(seconds * 1000, cache.negativeTtlMaxMs) };
    }
    at = open;
  }
  throw new Unavailable("dns", "aliases without end");
}

/**
 * Asks the first server, and the next one when it fails or is silent for its share of the time; whoever answers first counts.
 * One server is asked twice, because a datagram may get lost.
 */
function askInTurn(
  question: Question,
  { servers, silence, deadline, timeoutMs }: Way & { deadline: AbortSignal },
): Promise<Message> {
  const turns = servers.length === 1 ? [...servers, ...servers] : servers;
  const stop = new AbortController();
  const signal = AbortSignal.any([deadline, stop.signal]);
  return new Promise<Message>((resolve, reject) => {
    let next = 0;
    let failed = 0;
    let timer: NodeJS.Timeout | undefined;
    const settle = (act: () => void): void => {
      clearTimeout(timer);
      act();
      stop.abort();
    };
    const fail = (why: string): void => settle(() => reject(new Unavailable("dns", `${question.type}: ${why}`)));
    deadline.addEventListener("abort", () => fail(`no answer in ${timeoutMs} ms`), { once: true });
    const go = (): void => {
      clearTimeout(timer);
      const server = turns[next];
      if (!server) return;
      next += 1;
      if (next < turns.length) timer = setTimeout(go, timeoutMs / (turns.length + 1));
      server.ask(question, signal).then(
        (message) => {
          silence.heard();
          if (isUsable(message)) settle(() => resolve(message));
          else lost(`the server says ${message.rcode}`);
        },
        (error: Error) => {
          if (!signal.aborted) lost(error.message);
        },
      );
    };
    const lost = (why: string): void => {
      failed += 1;
      if (failed === turns.length) fail(why);
      else go();
    };
    if (turns.length === 0) fail("no server");
    else go();
  });
}

const isUsable = ({ rcode, referral }: Message): boolean => (rcode === NOERROR && !referral) || rcode === NXDOMAIN;
