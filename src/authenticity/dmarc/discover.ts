/**
 * Whose policy holds for a domain, and which domain it is part of. RFC 9989 climbs the tree of names in DNS; RFC 7489 asks the
 * Public Suffix List. An operator chooses; the first is the default.
 */
import type { Names } from "../../kit/names.ts";
import { type DmarcRecord, isDmarcRecord, readDmarcRecord } from "./record.ts";

export type DmarcEdition = "rfc9989" | "rfc7489";

export interface Found {
  readonly domain: string;
  readonly record: DmarcRecord;
}

export interface Standing {
  /** Whose record applies; absent: nobody's. */
  readonly found?: Found;
  /** The organisational domain; asked only when an alignment depends on it. @throws Unavailable("dns") */
  organisation(): Promise<string>;
}

/** Queries of one climb (RFC 9989 4.10). */
const LABELS_MAX = 8;

/** @throws Unavailable("dns") */
export const standingOf = (names: Names, domain: string, edition: DmarcEdition): Promise<Standing> =>
  edition === "rfc9989" ? byTree(names, domain) : byList(names, domain);

/** The organisational domain alone. @throws Unavailable("dns") */
export const organisationFor = async (names: Names, domain: string, edition: DmarcEdition): Promise<string> =>
  edition === "rfc9989" ? organisationIn(await climb(names, domain), domain) : organisationByList(domain);

/** The list is large and only the older edition needs it: it is read when somebody asks. */
const organisationByList = async (domain: string): Promise<string> =>
  (await import("../../mail/organisation.ts")).organisationOf(domain);

/** invalid: there is one, and nothing in it can be applied. */
type Read = DmarcRecord | "none" | "several" | "invalid";

async function recordAt(names: Names, domain: string): Promise<Read> {
  const { records } = await names.ask(`_dmarc.${domain}`, "TXT");
  const [text, ...more] = records.filter(isDmarcRecord);
  if (text === undefined) return "none";
  return more.length > 0 ? "several" : (readDmarcRecord(text) ?? "invalid");
}

/** Several records at one name are all discarded, and the climb goes on (RFC 9989 4.10). */
async function byTree(names: Names, domain: string): Promise<Standing> {
  const organisation = async (): Promise<string> => organisationIn(await climb(names, domain), domain);
  const own = await recordAt(names, domain);
  if (own === "invalid") return { organisation };
  if (typeof own === "object") return { organisation, found: { domain, record: own } };
  const climbed = await climb(names, domain);
  const top = organisationIn(climbed, domain);
  const found = climbed.find((each) => each.domain === top) ?? climbed.find(({ record }) => record.psd === "y");
  return { organisation: async () => top, ...(found && { found }) };
}

async function climb(names: Names, domain: string): Promise<Found[]> {
  const found: Found[] = [];
  let labels = domain.split(".");
  while (labels.length > 0) {
    const name = labels.join(".");
    const record = await recordAt(names, name);
    if (typeof record === "object") {
      found.push({ domain: name, record });
      if (record.psd !== "u") break;
    }
    labels = labels.slice(labels.length > LABELS_MAX ? 1 - LABELS_MAX : 1);
  }
  return found;
}

/** RFC 9989 4.10.2. */
function organisationIn(climbed: readonly Found[], start: string): string {
  const declared = climbed.find(({ record }) => record.psd === "n");
  if (declared) return declared.domain;
  const suffix = climbed.find(({ domain, record }) => record.psd === "y" && domain !== start);
  if (suffix) {
    const labels = start.split(".");
    return labels.slice(labels.length - suffix.domain.split(".").length - 1).join(".");
  }
  return climbed.at(-1)?.domain ?? start;
}

/** RFC 7489 6.6.3: the domain itself, then its organisation; several records at one of them end the search. */
async function byList(names: Names, domain: string): Promise<Standing> {
  const top = await organisationByList(domain);
  const organisation = async (): Promise<string> => top;
  for (const name of new Set([domain, top])) {
    const record = await recordAt(names, name);
    if (record === "none") continue;
    return { organisation, ...(typeof record === "object" && { found: { domain: name, record } }) };
  }
  return { organisation };
}
