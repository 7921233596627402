import type { Field } from "../../mail/headers.ts";
import { parseDomain } from "../../mail/path.ts";
import type { Canon } from "./canonical.ts";
import { fromBase64, readTags, type Tags, unfolded } from "./tags.ts";

export interface Algorithm {
  readonly key: "rsa" | "ed25519";
  readonly hash: "sha1" | "sha256";
}

/** A signature field that can be checked (RFC 6376 3.5). */
export interface Signature {
  readonly field: Field;
  readonly tags: Tags;
  readonly algorithm: Algorithm;
  readonly signature: Buffer;
  /** Base64 without blanks. */
  readonly bodyHash: string;
  readonly headerCanon: Canon;
  readonly bodyCanon: Canon;
  /** Lower case A-labels. */
  readonly domain: string;
  readonly selector: string;
  /** Lower case, in the order signed. */
  readonly signedNames: readonly string[];
  readonly bodyBytes?: number;
  readonly madeAtS?: number;
  readonly expiresAtS?: number;
}

/** What is wrong with a field that cannot be checked, with as much of it as could be read. */
export interface BadSignature {
  readonly because: string;
  readonly tags?: Tags;
}

const NAMES_MAX = 10_000;

/** Reads a DKIM-Signature. */
export function readSignature(field: Field): Signature | BadSignature {
  const tags = readTags(field.value);
  if (!tags) return { because: "a syntax error in the signature" };
  if (tags.get("v") !== "1") return { because: "not version 1", tags };
  const read = readCommon(field, tags);
  if (!("domain" in read)) return read;
  return read.signedNames.includes("from") ? withIdentity(read) : { because: "From is not signed", tags };
}

/** i= is of d= or below it (RFC 6376 3.5); the local part may be anything. */
function withIdentity(read: Signature): Signature | BadSignature {
  const identity = read.tags.get("i");
  if (identity === undefined) return read;
  const domain = unfolded(identity.slice(identity.lastIndexOf("@") + 1)).toLowerCase();
  const fine = identity.includes("@") && (domain === read.domain || domain.endsWith(`.${read.domain}`));
  return fine ? read : { because: "i= is not of d=", tags: read.tags };
}

/** Reads an ARC-Message-Signature (RFC 8617 4.1.2): the same without a version, i= is a number, and h= may name nothing. */
export function readMessageSignature(field: Field): Signature | BadSignature {
  const tags = readTags(field.value);
  if (!tags) return { because: "a syntax error in the signature" };
  const read = readCommon(field, tags);
  if (!("domain" in read)) return read;
  return read.signedNames.includes("arc-seal") ? { because: "a signature over ARC-Seal", tags } : read;
}

const ALGORITHMS: Readonly<Record<string, Algorithm>> = {
  "rsa-sha256": { key: "rsa", hash: "sha256" },
  "rsa-sha1": { key: "rsa", hash: "sha1" },
  "ed25519-sha256": { key: "ed25519", hash: "sha256" },
};

export const readAlgorithm = (text: string): Algorithm | undefined => ALGORITHMS[unfolded(text).toLowerCase()];

export const readDomain = (text: string): string | undefined => {
  const domain = parseDomain(Buffer.from(unfolded(text), "latin1").toString("utf8"));
  return domain?.startsWith("[") ? undefined : domain;
};

function readCommon(field: Field, tags: Tags): Signature | BadSignature {
  const bad = (because: string): BadSignature => ({ because, tags });
  const missing = ["a", "b", "bh", "d", "s"].find((tag) => !tags.get(tag)) ?? (tags.has("h") ? undefined : "h");
  if (missing) return bad(`no ${missing}= in the signature`);
  const algorithm = readAlgorithm(tags.get("a") ?? "");
  if (!algorithm) return bad("an algorithm nobody knows");
  const [signature, hash] = [fromBase64(tags.get("b") ?? ""), fromBase64(tags.get("bh") ?? "")];
  if (!signature || !hash) return bad("b= or bh= is not base64");
  const domain = readDomain(tags.get("d") ?? "");
  const selector = readDomain(tags.get("s") ?? "");
  if (!domain || !selector) return bad("d= or s= is no domain name");
  const canons = readCanons(tags.get("c") ?? "simple/simple");
  if (!canons) return bad("a canonical form nobody knows");
  const signedNames = unfolded(tags.get("h") ?? "")
    .toLowerCase()
    .split(":");
  if (signedNames.length > NAMES_MAX) return bad(`more than ${NAMES_MAX} names in h=`);
  if (!readsDns(tags.get("q"))) return bad("the key is not in DNS");
  const numbers = readNumbers(tags);
  if (!numbers) return bad("l=, t= or x= is no number");
  const { madeAtS, expiresAtS } = numbers;
  if (madeAtS !== undefined && expiresAtS !== undefined && expiresAtS < madeAtS) return bad("x= is before t=");
  const common = { field, tags, algorithm, signature, domain, selector, signedNames };
  return { ...common, bodyHash: unfolded(tags.get("bh") ?? ""), ...canons, ...numbers };
}

function readCanons(text: string): { headerCanon: Canon; bodyCanon: Canon } | undefined {
  const [headerCanon, bodyCanon = "simple", ...more] = unfolded(text).toLowerCase().split("/");
  return more.length === 0 && isCanon(headerCanon) && isCanon(bodyCanon) ? { headerCanon, bodyCanon } : undefined;
}

const isCanon = (text: string | undefined): text is Canon => text === "simple" || text === "relaxed";

const readsDns = (query: string | undefined): boolean =>
  query === undefined ||
  unfolded(query)
    .toLowerCase()
    .split(":")
    .some((method) => method === "dns/txt" || method === "dns");

/** undefined: one of them is no number. */
function readNumbers(tags: Tags): Pick<Signature, "bodyBytes" | "madeAtS" | "expiresAtS"> | undefined {
  const read = { bodyBytes: tags.get("l"), madeAtS: tags.get("t"), expiresAtS: tags.get("x") };
  const given = Object.entries(read).filter(([, text]) => text !== undefined);
  if (given.some(([, text]) => !/^\d{1,76}$/.test(text ?? ""))) return undefined;
  return Object.fromEntries(given.map(([name, text]) => [name, Number(text)]));
}
