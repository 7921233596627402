import type { Clock } from "../../kit/clock.ts";
import type { Tables, Value } from "../../kit/store.ts";
import { Unavailable } from "../../kit/trouble.ts";

/** A policy as it was fetched. */
export interface Shelved {
  readonly id: string;
  readonly text: string;
  /** Not believed after, ms since 1970. */
  readonly untilMs: number;
}

/** What keeps policies over a restart, and for all processes and nodes. Whoever cuts a domain off in that moment gains nothing. */
export interface Shelf {
  get(domain: string): Promise<Shelved | undefined>;
  put(domain: string, policy: Shelved): Promise<void>;
  /** Removes those whose time is over. */
  tidy(): Promise<void>;
}

const TABLE = "sts-policies";
const keyOf = (domain: string) => ({ partition: domain, id: "policy" });

/** A store that is away keeps nothing and has nothing: policies are then fetched anew. */
export function stsShelf(tables: Tables, clock: Clock): Shelf {
  return {
    get: (domain) => orUndefined(async () => shelvedIn((await tables.get(TABLE, keyOf(domain)))?.value, clock.now())),
    put: async (domain, { id, text, untilMs }) => {
      await orUndefined(() => tables.put(TABLE, keyOf(domain), { id, text, untilMs }));
    },
    tidy: async () => {
      await orUndefined(async () => {
        for await (const { key, value } of tables.scan(TABLE)) {
          if (!shelvedIn(value, clock.now())) await tables.remove(TABLE, key);
        }
      });
    },
  };
}

async function orUndefined<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Unavailable) return undefined;
    throw error;
  }
}

/** @returns undefined for what is over, or is no policy of ours */
function shelvedIn(value: Value | undefined, nowMs: number): Shelved | undefined {
  if (typeof value !== "object" || value === null || !("id" in value)) return undefined;
  const { id, text, untilMs } = value;
  if (typeof id !== "string" || typeof text !== "string" || typeof untilMs !== "number") return undefined;
  return untilMs > nowMs ? { id, text, untilMs } : undefined;
}
