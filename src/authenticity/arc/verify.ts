/** ARC validation (RFC 8617 5.2): the newest message signature, and every seal over all sets before it. */
import type { Names } from "../../kit/names.ts";
import { relaxedField, withoutSignature } from "../dkim/canonical.ts";
import { findKey, KEY_POLICY, type NoKey, type PublicKey } from "../dkim/key.ts";
import { readAlgorithm, readDomain, readMessageSignature, type Signature } from "../dkim/signature.ts";
import { fromBase64 } from "../dkim/tags.ts";
import { hashBodies, mismatch, type SignedMail, verifySignature } from "../dkim/verify.ts";
import { type ArcSet, readSets } from "./sets.ts";

export interface ArcOutcome {
  readonly result: "none" | "pass" | "fail" | "temperror";
  readonly because?: string;
  /** First station first; empty when the chain has not even the form of one. */
  readonly sets: readonly ArcSet[];
  /** d= of the newest seal. */
  readonly sealer?: string;
}

interface Seal {
  readonly set: ArcSet;
  readonly algorithm: NonNullable<ReturnType<typeof readAlgorithm>>;
  readonly signature: Buffer;
  readonly domain: string;
  readonly selector: string;
}

const fail = (because: string, sets: readonly ArcSet[] = []): ArcOutcome => ({ result: "fail", because, sets });

/** Never throws for what the mail or DNS says. */
export async function verifyArc(names: Names, mail: SignedMail): Promise<ArcOutcome> {
  const sets = readSets(mail.headers);
  if ("because" in sets) return fail(sets.because);
  const newest = sets.at(-1);
  if (!newest) return { result: "none", sets };
  const seals = sets.map(readSeal);
  const broken = seals.find((seal) => "because" in seal);
  if (broken && "because" in broken) return fail(broken.because, sets);
  const message = readMessageSignature(newest.message);
  if (!("domain" in message)) return fail(`ARC-Message-Signature: ${message.because}`, sets);
  const checked = await check(names, mail, { message, seals: seals as Seal[] });
  const sealer = (seals.at(-1) as Seal).domain;
  return checked ? { ...checked, sets, sealer } : { result: "pass", sets, sealer };
}

function readSeal(set: ArcSet): Seal | { because: string } {
  const { sealTags: tags, instance } = set;
  const bad = (because: string) => ({ because: `ARC-Seal ${instance}: ${because}` });
  if (tags.has("h")) return bad("it has h=");
  const algorithm = readAlgorithm(tags.get("a") ?? "");
  const signature = fromBase64(tags.get("b") ?? "");
  const domain = readDomain(tags.get("d") ?? "");
  const selector = readDomain(tags.get("s") ?? "");
  if (!algorithm || !signature || !domain || !selector) return bad("a=, b=, d= or s= is missing or wrong");
  if (!/^\d*$/.test(tags.get("t") ?? "") || tags.get("t") === "") return bad("t= is no number");
  const expected = instance === 1 ? "none" : "pass";
  if (tags.get("cv")?.toLowerCase() !== expected) return bad(`cv= is not ${expected}`);
  return { set, algorithm, signature, domain, selector };
}

/** undefined: everything fits. */
async function check(
  names: Names,
  mail: SignedMail,
  { message, seals }: { message: Signature; seals: readonly Seal[] },
): Promise<Pick<ArcOutcome, "result" | "because"> | undefined> {
  const policy = KEY_POLICY;
  const [messageKey, ...keys] = await Promise.all(
    [message, ...seals].map((one) => findKey(names, one, { algorithm: one.algorithm, policy })),
  );
  const missing = [messageKey, ...keys].find((key): key is NoKey => key !== undefined && "trouble" in key);
  if (missing) return { result: missing.trouble === "temperror" ? "temperror" : "fail", because: missing.because };
  const hashes = await hashBodies(mail, [message]);
  const because = await mismatch(mail, message, { key: messageKey as PublicKey, hashes });
  if (because !== undefined) return { result: "fail", because: `ARC-Message-Signature: ${because}` };
  const sets = seals.map(({ set }) => set);
  for (const [index, { set, algorithm, signature }] of seals.entries()) {
    const publicKey = keys[index] as PublicKey;
    const signed = sealedText(sets.slice(0, index), set) + withoutSignature(set.seal, mail.block, "relaxed");
    if (!(await verifySignature(signed, signature, { ...algorithm, publicKey }))) {
      return { result: "fail", because: `ARC-Seal ${set.instance}: the signature does not fit` };
    }
  }
  return undefined;
}

/** What a seal is over, without itself (RFC 8617 5.1.1). */
export function sealedText(before: readonly ArcSet[], own: Pick<ArcSet, "results" | "message">): string {
  const text = before.map((set) => inRelaxed(set.results) + inRelaxed(set.message) + inRelaxed(set.seal)).join("");
  return text + inRelaxed(own.results) + inRelaxed(own.message);
}

const inRelaxed = ({ name, value }: { name: string; value: string }): string => relaxedField(name, value);
