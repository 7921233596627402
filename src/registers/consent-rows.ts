/**
 * A consent in words and as it lies in the store, in two rows: what decides (small: it is read for every mail), and the proof, which only
 * people ask for. Both lie in the partition of the recipient.
 */
import { z } from "zod";
import type { Key, Value } from "../kit/store.ts";

/** What decides about a mail. */
export interface Standing {
  readonly grantedAtMs: number;
  /** Set once refused; from then on it is a refusal and blocks (Order 38 art. 14). */
  readonly withdrawnAtMs?: number;
  /** Kinds of product agreed to; empty: all (Circular 12/2008 III.1.1a). */
  readonly topics: readonly string[];
  /** The greatest number agreed to in a period; absent: none was named. */
  readonly limit?: { readonly max: number; readonly windowMs: number };
  /** The hours agreed to, as kit/hours.ts reads them; absent: any. */
  readonly hours?: string;
  /** Mails that came back for good since the yes, and when the last one did, ms since 1970. */
  readonly bounces?: { readonly count: number; readonly lastMs: number };
}

/** How the recipient said yes (Circular 12/2008 III.1.1b). */
const proofSchema = z.strictObject({
  /** "paper", "web-form", "double-opt-in", "call", "import". */
  how: z.string(),
  /** Where the evidence is kept: a document number, a URL. */
  reference: z.string().optional(),
  /** The wording that was agreed to. */
  text: z.string().optional(),
  /** Which version of it. */
  textVersion: z.string().optional(),
  /** The address the recipient agreed from. */
  ip: z.string().optional(),
  /** SHA-256 of the document, hex. */
  documentSha256: z.string().optional(),
  /** Who recorded it. */
  recordedBy: z.string().optional(),
});
export type Proof = Readonly<z.infer<typeof proofSchema>>;

/** A recipient's recorded word to one advertiser. */
export interface Consent extends Standing {
  /** Address key of the recipient, lower case. */
  readonly recipient: string;
  /** Client id of a registered advertiser, else the domain that writes as From. */
  readonly advertiser: string;
  readonly proof: Proof;
}

export const CONSENTS = "consents";
export const PROOFS = "proofs";

/** Partitioned by recipient: all of one person's words lie together. */
export const consentKey = (advertiser: string, recipient: string): Key => ({ partition: recipient, id: advertiser });

/** One proof for each yes: a new one does not take away what proved the last. */
export const proofKey = ({ advertiser, recipient, grantedAtMs }: Consent | Omit<Consent, "proof">): Key => ({
  partition: recipient,
  id: `${advertiser} ${grantedAtMs}`,
});

/** Names are short because there are ten million of them: granted, crossed out, topics, quota, hours, bounces. */
const rowSchema = z.strictObject({
  g: z.number(),
  x: z.number().optional(),
  t: z.array(z.string()).optional(),
  /** Known to the stores, which take from it (kit/store.ts). */
  q: z.tuple([z.number(), z.number()]).optional(),
  h: z.string().optional(),
  b: z.tuple([z.number(), z.number()]).optional(),
});

export const toRow = ({ grantedAtMs, withdrawnAtMs, topics, limit, hours, bounces }: Standing): Value => ({
  g: grantedAtMs,
  ...(withdrawnAtMs !== undefined && { x: withdrawnAtMs }),
  ...(topics.length > 0 && { t: topics }),
  ...(limit && { q: [limit.max, limit.windowMs] }),
  ...(hours !== undefined && { h: hours }),
  ...(bounces && { b: [bounces.count, bounces.lastMs] }),
});

/** What most rows are, without the schema: they are read for every mail. undefined: the schema has to look. */
function plainRow(value: Value): Standing | undefined {
  if (typeof value !== "object" || value === null || !("g" in value) || typeof value.g !== "number") return undefined;
  const { g, q, h, ...others } = value;
  for (const _ in others) return undefined;
  if (h !== undefined && typeof h !== "string") return undefined;
  if (q === undefined)
    return h === undefined ? { grantedAtMs: g, topics: NONE } : { grantedAtMs: g, topics: NONE, hours: h };
  const [max, windowMs] = Array.isArray(q) && q.length === 2 ? (q as readonly Value[]) : [];
  if (typeof max !== "number" || typeof windowMs !== "number") return undefined;
  const limit = { max, windowMs };
  return h === undefined ? { grantedAtMs: g, topics: NONE, limit } : { grantedAtMs: g, topics: NONE, limit, hours: h };
}

const NONE: readonly string[] = Object.freeze([]);

export function fromRow(value: Value): Standing {
  const plain = plainRow(value);
  if (plain) return plain;
  const { g, x, t, q, h, b } = rowSchema.parse(value);
  return {
    grantedAtMs: g,
    topics: t ?? [],
    ...(q && { limit: { max: q[0], windowMs: q[1] } }),
    ...(h !== undefined && { hours: h }),
    ...(b && { bounces: { count: b[0], lastMs: b[1] } }),
    ...(x !== undefined && { withdrawnAtMs: x }),
  };
}

/** What is said of a word without a proof: nobody needs one for a no. */
const NO_PROOF: Proof = { how: "refusal" };

/** The proof as the store keeps it. */
export const toProofRow = (proof: Proof): Value => proof as unknown as Value;

export const readProof = (value: Value | undefined): Proof =>
  value === undefined ? NO_PROOF : proofSchema.parse(value);
