/** All lists of a configuration, in DNS and in files, asked about one address at once. */
import { isNearbyIp } from "../kit/ip.ts";
import type { Names } from "../kit/names.ts";
import type { DnsList } from "./dns-list.ts";

interface Standing {
  /** What replies and the ledger call it. */
  readonly name: string;
  readonly kind: "block" | "allow";
  readonly weight: number;
}

/** A list as it is asked: in DNS, or a table in memory. */
export type AddressList = Standing &
  ({ readonly dns: DnsList } | { readonly has: (ip: string) => boolean | undefined });

export interface Hit extends Standing {
  /** What the list answered, in DNS. */
  readonly answer?: string;
}

export interface Listing {
  readonly hits: readonly Hit[];
  /** Weights of block lists less those of allow lists. */
  readonly weight: number;
  /** Lists that could not be asked, or are not believed. */
  readonly missing: readonly string[];
}

/** What rules ask. */
export interface ListReader {
  /** Is there any list at all? */
  readonly isEmpty: boolean;
  /**
   * Asks every list at once. One that does not answer, or is not believed, is left out and named.
   * @param names asks within what the mail may cost; absent: lists in DNS are left out
   * @param tests asks what belongs to no mail
   */
  look(ip: string, names?: Names, tests?: Names): Promise<Listing>;
}

interface Asked {
  readonly list: AddressList;
  readonly hit?: Hit;
  readonly missing?: true;
}

export function createListReader(lists: readonly AddressList[]): ListReader {
  return {
    isEmpty: lists.length === 0,
    async look(ip, names, tests = names) {
      const asked = await Promise.all(lists.map((list) => ask(list, { ip, names, tests })));
      const hits = asked.flatMap(({ hit }) => (hit ? [hit] : []));
      const weight = hits.reduce((sum, { kind, weight: own }) => sum + (kind === "block" ? own : -own), 0);
      return { hits, weight, missing: asked.flatMap(({ list, missing }) => (missing ? [list.name] : [])) };
    },
  };
}

interface Question {
  readonly ip: string;
  readonly names: Names | undefined;
  readonly tests: Names | undefined;
}

async function ask(list: AddressList, { ip, names, tests }: Question): Promise<Asked> {
  const { name, kind, weight } = list;
  if ("has" in list) {
    const listed = list.has(ip);
    if (listed === undefined) return { list, missing: true };
    return listed ? { list, hit: { name, kind, weight } } : { list };
  }
  // Nobody else can know an address that means something only here.
  if (isNearbyIp(ip)) return { list };
  if (!names || !tests) return { list, missing: true };
  const word = await list.dns.ask(ip, names, tests);
  if (word.listed) return { list, hit: { name, kind, weight, answer: word.answer } };
  return word.because ? { list, missing: true } : { list };
}

export const NO_LISTS: ListReader = createListReader([]);
