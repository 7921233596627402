/** DMARC records (RFC 9989 4.7, RFC 7489 6.3). What is wrong in one tag only costs that tag, but for the policies. */
const POLICIES = ["none", "quarantine", "reject"] as const;
export type Policy = (typeof POLICIES)[number];

export interface DmarcRecord {
  readonly policy: Policy;
  /** For subdomains; absent: as `policy`. */
  readonly subdomains?: Policy;
  /** For subdomains that do not exist; absent: as for subdomains. */
  readonly nonexistent?: Policy;
  readonly strictDkim: boolean;
  readonly strictSpf: boolean;
  /** t=y: one step milder than it says. */
  readonly testing: boolean;
  /** y: a public suffix; n: an organisational domain; u: not said. */
  readonly psd: "y" | "n" | "u";
  /** RFC 7489 only: to how many of a hundred mails the policy is applied. */
  readonly percent: number;
}

export const isDmarcRecord = (text: string): boolean => /^v[ \t]*=[ \t]*DMARC1[ \t]*(?:;|$)/.test(text);

const RECORDS_KEPT = 4096;
const known = new Map<string, DmarcRecord | undefined>();

/**
 * undefined: it says nothing that can be applied (RFC 9989 4.10.1: no valid p, sp or np, and nobody to report to). Read once: the same
 * few records judge most mail.
 */
export function readDmarcRecord(text: string): DmarcRecord | undefined {
  if (known.has(text)) return known.get(text);
  if (known.size >= RECORDS_KEPT) known.clear();
  const record = parse(text);
  known.set(text, record);
  return record;
}

function parse(text: string): DmarcRecord | undefined {
  const tags = new Map<string, string>();
  for (const part of text.split(";")) {
    const equals = part.indexOf("=");
    const name = part.slice(0, Math.max(0, equals)).trim().toLowerCase();
    if (name !== "" && !tags.has(name)) tags.set(name, part.slice(equals + 1).trim());
  }
  const said = (tag: string): string => (tags.get(tag) ?? "").toLowerCase();
  const policies = readPolicies(said, tags);
  if (!policies) return undefined;
  const percent = /^\d{1,3}$/.test(said("pct")) ? Math.min(100, Number(said("pct"))) : 100;
  return {
    ...policies,
    strictDkim: said("adkim") === "s",
    strictSpf: said("aspf") === "s",
    testing: said("t") === "y",
    psd: said("psd") === "y" ? "y" : said("psd") === "n" ? "n" : "u",
    percent,
  };
}

type Policies = Pick<DmarcRecord, "policy" | "subdomains" | "nonexistent">;

function readPolicies(said: (tag: string) => string, tags: ReadonlyMap<string, string>): Policies | undefined {
  const wrong = !isPolicy(said("p")) || ["sp", "np"].some((tag) => tags.has(tag) && !isPolicy(said(tag)));
  if (wrong) return /^\s*[a-z][a-z0-9+.-]*:\S/i.test(tags.get("rua") ?? "") ? { policy: "none" } : undefined;
  const [policy, subdomains, nonexistent] = [said("p"), said("sp"), said("np")] as Policy[];
  return { policy: policy as Policy, ...(subdomains && { subdomains }), ...(nonexistent && { nonexistent }) };
}

const isPolicy = (text: string): text is Policy => (POLICIES as readonly string[]).includes(text);

/** One step down, for t=y and for mails that pct leaves out. */
export const milder = (policy: Policy): Policy => (policy === "reject" ? "quarantine" : "none");
