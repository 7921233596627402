import type { Clock } from "../kit/clock.ts";
import { type Client, isAdSender } from "../mail/client.ts";
import { domainList } from "../mail/domains.ts";
import type { ConsentReader } from "../registers/consents.ts";

/** Which of our clients advertises from an address's domain. */
export interface Advertisers {
  /** Clients that write from this domain; only the very first who asks waits. Never throws. */
  of(domain: string): readonly Client[] | Promise<readonly Client[]>;
  /**
   * The one advertiser that a person who answers to this domain can mean: one about which he has said something before, else the only one
   * whose business is advertising. @throws Unavailable
   * @param person address key
   */
  meant(clients: readonly Client[], person: string): Promise<string | undefined>;
}

/** How old the list of clients may get. */
const REFRESH_MS = 10_000;

export function createAdvertisers(
  list: () => Promise<readonly Client[]>,
  consents: ConsentReader,
  clock: Clock,
): Advertisers {
  let known: readonly Entry[] | undefined;
  let lookedAtMs = Number.NEGATIVE_INFINITY;
  let looking: Promise<readonly Entry[]> | undefined;
  /** A store that is away leaves the list as it was: mail that has nothing to do with it goes on. */
  const look = async (): Promise<readonly Entry[]> => {
    try {
      const clients = (await list()).filter(({ domains, disabled }) => domains.length > 0 && !disabled);
      known = clients.map((client) => ({ client, has: domainList(client.domains).has }));
    } catch {
      known ??= [];
    } finally {
      lookedAtMs = clock.now();
      looking = undefined;
    }
    return known;
  };
  const find = (entries: readonly Entry[], domain: string): readonly Client[] =>
    entries.length === 0 ? NONE : entries.filter(({ has }) => has(domain)).map(({ client }) => client);
  return {
    of(domain) {
      if (clock.now() - lookedAtMs >= REFRESH_MS) looking ??= look();
      return known ? find(known, domain) : (looking ?? look()).then((entries) => find(entries, domain));
    },
    async meant(clients, person) {
      const spokenTo: string[] = [];
      for (const { id } of clients) {
        const [standing] = await consents.standing(id, [person]);
        if (standing) spokenTo.push(id);
      }
      const candidates = spokenTo.length > 0 ? spokenTo : clients.filter(isAdSender).map(({ id }) => id);
      return candidates.length === 1 ? candidates[0] : undefined;
    },
  };
}

interface Entry {
  readonly client: Client;
  readonly has: (domain: string) => boolean;
}

const NONE: readonly Client[] = [];
