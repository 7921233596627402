/** Chooses a store by its URL. ioredis and lmdb are loaded only when one of theirs is asked for. */
import type { Clock } from "../kit/clock.ts";
import type { Store } from "../kit/store.ts";
import { Misuse } from "../kit/trouble.ts";
import { createMemoryStore } from "./memory/store.ts";
import { isRedisUrl, REDIS_FORMS } from "./redis/address.ts";

export interface StoreOptions {
  /** Where `embedded:` lives. */
  readonly dataDir: string;
  /** Longest wait for one answer, ms. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** Told when a remote store comes and goes. */
  readonly onState?: (up: boolean, why?: string) => void;
}

const STORE_FORMS = [
  "embedded: (LMDB under dataDir)",
  "embedded:/path (LMDB there)",
  "memory: (for tests and dry runs: forgets everything)",
  ...REDIS_FORMS,
] as const;

/**
 * Opens what `store.url` names.
 * @throws Misuse with the accepted forms when it names none; Unavailable when the embedded store's disk fails
 */
export async function openStore(url: string, options: StoreOptions): Promise<Store> {
  const { dataDir, timeoutMs, clock, onState } = options;
  if (url === "memory:") return createMemoryStore(clock);
  if (url.startsWith("embedded:")) {
    const { openLmdbStore } = await import("./lmdb/store.ts");
    return openLmdbStore({ dir: url.slice("embedded:".length) || dataDir, timeoutMs, clock });
  }
  if (isRedisUrl(url)) {
    const { openRedisStore } = await import("./redis/store.ts");
    return openRedisStore(url, { timeoutMs, ...(onState && { onState }) });
  }
  throw new Misuse(`store.url: "${schemeOf(url)}" is not known; accepted are:`, STORE_FORMS);
}

/** Only the scheme is repeated: what follows may hold a password. */
const schemeOf = (url: string): string => /^[\w+.-]*:?/.exec(url)?.[0] ?? "";
