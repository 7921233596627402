/**
 * MTA-STS policies of domains (RFC 8461): found by DNS, fetched over HTTPS with bounds, kept for their time. A policy that is
 * kept counts though DNS or web server are silent now, so that who cuts them off gains nothing.
 */
import type { Clock } from "../../kit/clock.ts";
import type { Names } from "../../kit/names.ts";
import { createRecent } from "../../kit/recent.ts";
import { Unavailable } from "../../kit/trouble.ts";
import { readStsPolicy, type StsPolicy, stsIdOf } from "./sts-policy.ts";
import type { Shelf } from "./sts-shelf.ts";

/** MTA-STS policies of domains. */
export interface Policies {
  /** The policy in force; undefined: the domain has none. Never throws, and is bounded. */
  of(domain: string): Promise<StsPolicy | undefined>;
}

export const NO_POLICIES: Policies = { of: async () => undefined };

export interface PoliciesOptions {
  readonly names: Names;
  readonly clock: Clock;
  /** Gets the policy's text from the domain's web server; undefined: it did not give one. Bounded, never throws. */
  fetch(host: string): Promise<string | undefined>;
  /** Keeps them beyond this process; absent: only in memory. */
  readonly shelf?: Shelf;
  /** Told when a policy could not be had though DNS says that there is one. */
  onTrouble?(domain: string): void;
}

interface Kept {
  readonly id: string;
  readonly policy: StsPolicy;
}

const KEPT_MAX = 10_000;
/** A web server that gave no policy is not asked again for so long (RFC 8461 3.3: at least some minutes). */
const AGAIN_MS = 300_000;
/** Other processes may have put something on the shelf. */
const LOOK_AGAIN_MS = 3_600_000;
/** Web servers that are asked at a time. */
const FETCHES_MAX = 50;

export function createPolicies({ names, clock, fetch, shelf, onTrouble }: PoliciesOptions): Policies {
  const kept = createRecent<Kept>(KEPT_MAX);
  /** Domains of which the shelf has nothing. */
  const absent = createRecent<true>(KEPT_MAX);
  const failed = createRecent<string>(KEPT_MAX);
  const open = new Map<string, Promise<Kept | undefined>>();

  const load = async (domain: string, id: string): Promise<Kept | undefined> => {
    const text = await fetch(`mta-sts.${domain}`);
    const policy = text === undefined ? undefined : readStsPolicy(text);
    if (text === undefined || !policy) {
      failed.set(domain, id, clock.now() + AGAIN_MS);
      onTrouble?.(domain);
      return undefined;
    }
    const found = { id, policy };
    const untilMs = clock.now() + policy.maxAgeS * 1_000;
    kept.set(domain, found, untilMs);
    await shelf?.put(domain, { id, text, untilMs });
    return found;
  };
  const recall = async (domain: string): Promise<Kept | undefined> => {
    if (!shelf || absent.get(domain, clock.now())) return undefined;
    const shelved = await shelf.get(domain);
    const policy = shelved && readStsPolicy(shelved.text);
    if (!policy) {
      absent.set(domain, true, clock.now() + LOOK_AGAIN_MS);
      return undefined;
    }
    const found = { id: shelved.id, policy };
    kept.set(domain, found, shelved.untilMs);
    return found;
  };
  const loadOnce = (domain: string, id: string): Promise<Kept | undefined> => {
    const running = open.get(domain);
    if (running) return running;
    if (open.size >= FETCHES_MAX || failed.get(domain, clock.now()) === id) return Promise.resolve(undefined);
    const loading = load(domain, id).finally(() => open.delete(domain));
    open.set(domain, loading);
    return loading;
  };
  return {
    async of(domain) {
      if (domain === "" || domain.startsWith("[")) return undefined;
      const known = kept.get(domain, clock.now()) ?? (await recall(domain));
      const id = await idOf(names, domain);
      const current = id === undefined || id === known?.id ? known : ((await loadOnce(domain, id)) ?? known);
      return current?.policy;
    },
  };
}

/** What DNS says of the policy now; undefined: nothing, or it is silent. */
async function idOf(names: Names, domain: string): Promise<string | undefined> {
  try {
    return stsIdOf((await names.ask(`_mta-sts.${domain}`, "TXT")).records);
  } catch (error) {
    if (error instanceof Unavailable) return undefined;
    throw error;
  }
}
