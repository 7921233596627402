/** DKIM verification (RFC 6376 6) on the bytes as they came: the body is read once, whatever number of signatures there are. */
import { createHash, verify } from "node:crypto";
import type { Names } from "../../kit/names.ts";
import type { Field, Headers } from "../../mail/headers.ts";
import { type BodyHash, type Canon, canonicalField, createBodyHash, withoutSignature } from "./canonical.ts";
import { findKey, KEY_POLICY, type KeyPolicy, type PublicKey } from "./key.ts";
import { type BadSignature, readSignature, type Signature } from "./signature.ts";
import { unfolded } from "./tags.ts";

/** RFC 8601 2.7.1. */
export type DkimResult = "pass" | "fail" | "neutral" | "temperror" | "permerror";

export interface DkimOutcome {
  readonly result: DkimResult;
  /** d=, as far as it could be read. */
  readonly domain?: string;
  readonly selector?: string;
  /** i=, or @d= (RFC 6376 3.5). */
  readonly identity?: string;
  /** a=, as written. */
  readonly algorithm?: string;
  /** The first characters of b=: which of several signatures it is (RFC 8601 2.7.1). */
  readonly hint?: string;
  readonly because?: string;
  /** The domain says that it only tries DKIM out. */
  readonly testing?: boolean;
  /** Body bytes after the signed ones (l=): anybody may have added them. */
  readonly unsignedBytes?: number;
}

/** A mail to verify. */
export interface SignedMail {
  readonly headers: Headers;
  /** The bytes the headers were read from. */
  readonly block: Buffer;
  /** The body in memory, or its pieces. */
  readonly body: Buffer | (() => AsyncIterable<Buffer>);
}

export interface VerifyOptions {
  readonly nowMs: number;
  /** So many signatures are checked, the topmost first. */
  readonly signaturesMax: number;
  /** Signatures of this domain, or below or above it, come before all others. */
  readonly first?: string;
  readonly policy?: KeyPolicy;
}

/** How far ahead of our clock a signature may say it was made, s. */
const CLOCK_TOLERANCE_S = 3600;

/** Verifies the signatures of a mail. Never throws for what the mail or DNS says. */
export async function verifyDkim(names: Names, mail: SignedMail, options: VerifyOptions): Promise<DkimOutcome[]> {
  const read = mail.headers.fields.filter(({ name }) => name === "dkim-signature").map(readSignature);
  const chosen = choose(read, options);
  const found = await Promise.all(
    chosen.map(async (signature) => ({ signature, outcome: await prepare(names, signature, options) })),
  );
  const ready = found.flatMap(({ signature, outcome }) =>
    "key" in outcome && "domain" in signature ? [signature] : [],
  );
  const hashes = await hashBodies(mail, ready);
  return Promise.all(
    found.map(({ signature, outcome }) =>
      "key" in outcome && "domain" in signature
        ? conclude(mail, signature, { key: outcome.key, hashes })
        : (outcome as DkimOutcome),
    ),
  );
}

/** The signatures that may decide something first: a hundred others shall not hide them. */
function choose(
  read: readonly (Signature | BadSignature)[],
  { signaturesMax, first }: VerifyOptions,
): readonly (Signature | BadSignature)[] {
  if (read.length <= signaturesMax) return read;
  const near = (one: Signature | BadSignature): boolean =>
    first !== undefined &&
    "domain" in one &&
    (first === one.domain || first.endsWith(`.${one.domain}`) || one.domain.endsWith(`.${first}`));
  return [...read.filter(near), ...read.filter((one) => !near(one))].slice(0, signaturesMax);
}

async function prepare(
  names: Names,
  signature: Signature | BadSignature,
  { nowMs, policy = KEY_POLICY }: VerifyOptions,
): Promise<DkimOutcome | { key: PublicKey }> {
  if (!("domain" in signature)) return { result: "neutral", because: signature.because, ...partsOf(signature) };
  const nowS = nowMs / 1000;
  const { expiresAtS, madeAtS, algorithm, tags, domain } = signature;
  const parts = partsOf(signature);
  if (expiresAtS !== undefined && expiresAtS < nowS)
    return { result: "neutral", because: "the signature has expired", ...parts };
  if (madeAtS !== undefined && madeAtS > nowS + CLOCK_TOLERANCE_S) {
    return { result: "neutral", because: "the signature is from the future", ...parts };
  }
  const key = await findKey(names, signature, { algorithm, policy });
  if ("trouble" in key) return { result: key.trouble, because: key.because, ...parts };
  const identity = tags.get("i");
  const below =
    identity !== undefined && unfolded(identity.slice(identity.lastIndexOf("@") + 1)).toLowerCase() !== domain;
  return key.sameDomain && below
    ? { result: "permerror", because: "the key is not for subdomains", ...parts }
    : { key };
}

function partsOf(signature: Signature | BadSignature): Partial<DkimOutcome> {
  const tags = signature.tags;
  if (!tags) return {};
  const domain = "domain" in signature ? signature.domain : tags.get("d");
  const [selector, algorithm, b] = [tags.get("s"), tags.get("a"), tags.get("b")];
  return {
    ...(domain !== undefined && { domain, identity: unfolded(tags.get("i") ?? `@${domain}`) }),
    ...(selector !== undefined && { selector: unfolded(selector) }),
    ...(algorithm !== undefined && { algorithm: unfolded(algorithm) }),
    ...(b && { hint: unfolded(b).slice(0, 8) }),
  };
}

const hashName = ({ bodyCanon, algorithm, bodyBytes }: HashedBody): string =>
  `${bodyCanon} ${algorithm.hash} ${bodyBytes ?? ""}`;

export type HashedBody = Pick<Signature, "bodyCanon" | "algorithm" | "bodyBytes">;

export interface HashResult {
  readonly hash: string;
  readonly canonicalBytes: number;
}

export type BodyHashes = ReadonlyMap<string, HashResult>;

/** The body's hash in every form that these signatures need, in one pass over it. */
export async function hashBodies(mail: SignedMail, wanted: readonly HashedBody[]): Promise<BodyHashes> {
  const hashing = new Map<string, BodyHash>();
  for (const each of wanted) {
    const name = hashName(each);
    if (!hashing.has(name)) hashing.set(name, createBodyHash(each.bodyCanon, each.algorithm.hash, each.bodyBytes));
  }
  if (hashing.size > 0) {
    const all = [...hashing.values()];
    if (Buffer.isBuffer(mail.body)) for (const one of all) one.update(mail.body);
    else for await (const piece of mail.body()) for (const one of all) one.update(piece);
  }
  return new Map([...hashing].map(([name, one]) => [name, { hash: one.digest(), canonicalBytes: one.canonicalBytes }]));
}

async function conclude(
  mail: SignedMail,
  signature: Signature,
  { key, hashes }: { key: PublicKey; hashes: BodyHashes },
): Promise<DkimOutcome> {
  const parts = { ...partsOf(signature), ...(key.testing && { testing: true }) };
  const because = await mismatch(mail, signature, { key, hashes });
  if (because !== undefined) return { result: "fail", because, ...parts };
  const unsignedBytes =
    (hashes.get(hashName(signature))?.canonicalBytes ?? 0) - (signature.bodyBytes ?? Number.POSITIVE_INFINITY);
  return { result: "pass", ...parts, ...(unsignedBytes > 0 && { unsignedBytes }) };
}

/** What does not fit; undefined: it all does. Shared with ARC-Message-Signature. */
export async function mismatch(
  mail: SignedMail,
  signature: Signature,
  { key, hashes }: { key: PublicKey; hashes: BodyHashes },
): Promise<string | undefined> {
  const body = hashes.get(hashName(signature));
  if ((signature.bodyBytes ?? 0) > (body?.canonicalBytes ?? 0)) return "l= is longer than the body";
  if (!sameBase64(body?.hash ?? "", signature.bodyHash)) return "the body was changed";
  const signed = signedHeaders(mail, signature) + withoutSignature(signature.field, mail.block, signature.headerCanon);
  return (await verifySignature(signed, signature.signature, { ...signature.algorithm, publicKey: key }))
    ? undefined
    : "the signature does not fit";
}

/** Padding left out is no other value. */
const sameBase64 = (one: string, other: string): boolean => one.replace(/=+$/, "") === other.replace(/=+$/, "");

/** In a thread beside the event loop: RSA takes 30 µs, handing it over a third of that. */
export function verifySignature(
  signed: string,
  signature: Buffer,
  { key, hash, publicKey }: { key: "rsa" | "ed25519"; hash: "sha1" | "sha256"; publicKey: PublicKey },
): Promise<boolean> {
  const bytes = Buffer.from(signed, "latin1");
  const [name, data] = key === "rsa" ? [hash, bytes] : [null, createHash(hash).update(bytes).digest()];
  return new Promise((resolve, reject) => {
    verify(name, data, publicKey.key, signature, (error, fits) => (error ? reject(error) : resolve(fits)));
  });
}

/** The signed header fields in canonical form: for a name that is signed twice, the last field first (RFC 6376 5.4.2). */
export function signedHeaders(
  { headers, block }: Pick<SignedMail, "headers" | "block">,
  { signedNames, field: own, headerCanon }: { signedNames: readonly string[]; field?: Field; headerCanon: Canon },
): string {
  const left = new Map<string, Field[]>();
  for (const field of headers.fields) {
    if (own && field.start === own.start) continue;
    const fields = left.get(field.name);
    if (fields) fields.push(field);
    else left.set(field.name, [field]);
  }
  let text = "";
  for (const name of signedNames) {
    const field = left.get(name)?.pop();
    if (field) text += canonicalField(field, block, headerCanon);
  }
  return text;
}
