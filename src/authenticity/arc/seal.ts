/** Sealing (RFC 8617 5.1): one more set on top, over the mail as it leaves. */
import type { Field } from "../../mail/headers.ts";
import { relaxedField } from "../dkim/canonical.ts";
import { algorithmOf, SIGNED_NAMES, type Signer, signText } from "../dkim/sign.ts";
import { hashBodies, type SignedMail, signedHeaders } from "../dkim/verify.ts";
import { INSTANCES_MAX } from "./sets.ts";
import { type ArcOutcome, sealedText } from "./verify.ts";

export type Sealer = Signer;

export interface Sealing {
  readonly sealer: Sealer;
  /** What we found on the mail as it came. */
  readonly chain: ArcOutcome;
  /** Our results as an Authentication-Results field has them: "our.name; spf=pass …". */
  readonly results: string;
  /** Fields to sign, in this order; only those the mail has. */
  readonly signedNames: readonly string[];
  readonly nowMs: number;
}

export interface AddedField {
  readonly name: string;
  readonly value: string;
}

/** Usually signed: what a reader sees and what says how to read it. */
export const SEALED_NAMES: readonly string[] = [...SIGNED_NAMES, "dkim-signature"];

/** The fields of one more set, top first. None when there can be no more: the chain has failed before or is at its end. */
export async function sealArc(mail: SignedMail, sealing: Sealing): Promise<AddedField[]> {
  const { sealer, chain, results, nowMs } = sealing;
  const instance = nextInstance(chain, mail);
  if (instance === undefined) return [];
  const common = {
    a: algorithmOf(sealer.key),
    d: sealer.domain,
    i: String(instance),
    s: sealer.selector,
    t: String(Math.floor(nowMs / 1000)),
  };
  const own = { name: "arc-authentication-results", value: `i=${instance}; ${results}` };
  const message = await messageSignature(mail, { ...sealing, common });
  // A chain that is broken is sealed without what came before (RFC 8617 5.1.2).
  const cv = chain.result === "none" ? "none" : chain.result === "pass" ? "pass" : "fail";
  const before = cv === "fail" ? [] : chain.sets;
  const text = sealedText(before, {
    results: asField(own),
    message: asField({ name: "arc-message-signature", value: message }),
  });
  const seal = await signedTags({ ...common, cv }, { name: "arc-seal", text, sealer });
  return [
    { name: "ARC-Seal", value: seal },
    { name: "ARC-Message-Signature", value: message },
    { name: "ARC-Authentication-Results", value: own.value },
  ];
}

/** undefined: no further set may be added. */
function nextInstance({ result, sets }: ArcOutcome, { headers }: SignedMail): number | undefined {
  if (sets.length === 0 && result !== "none") return undefined;
  const failedBefore = headers.all("arc-seal").some((value) => /(?:^|;)[ \t]*cv[ \t]*=[ \t]*fail/i.test(value));
  return failedBefore || sets.length >= INSTANCES_MAX || result === "temperror" ? undefined : sets.length + 1;
}

async function messageSignature(
  mail: SignedMail,
  { sealer, signedNames, common }: Sealing & { common: Readonly<Record<string, string>> },
): Promise<string> {
  const form = { bodyCanon: "relaxed", algorithm: { key: "rsa", hash: "sha256" } } as const;
  const [hashed] = (await hashBodies(mail, [form])).values();
  const present = signedNames.filter((name) => mail.headers.count(name) > 0);
  const text = signedHeaders(mail, { signedNames: present, headerCanon: "relaxed" });
  const tags = { ...common, bh: hashed?.hash ?? "", c: "relaxed/relaxed", h: present.join(":") };
  return signedTags(tags, { name: "arc-message-signature", text, sealer });
}

/** A tag list with its own b= over the text and itself; tags in the order of the alphabet. */
async function signedTags(
  tags: Readonly<Record<string, string>>,
  { name, text, sealer }: { name: string; text: string; sealer: Sealer },
): Promise<string> {
  const write = (b: string): string =>
    Object.entries({ ...tags, b })
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([tag, value]) => `${tag}=${value}`)
      .join("; ");
  const signed = text + relaxedField(name, write("")).slice(0, -2);
  return write(await signText(sealer.key, signed));
}

const asField = ({ name, value }: AddedField): Field => ({ name, value, start: -1, end: -1 });
