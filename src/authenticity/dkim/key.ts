/** Public keys in DNS (RFC 6376 3.6.1, RFC 8301, RFC 8463). Parsed keys are kept: a few thousand sign most of the world's mail. */
import { createPublicKey, type KeyObject } from "node:crypto";
import type { Names } from "../../kit/names.ts";
import { Unavailable } from "../../kit/trouble.ts";
import type { Algorithm } from "./signature.ts";
import { fromBase64, readTags, unfolded } from "./tags.ts";

export interface PublicKey {
  readonly key: KeyObject;
  /** Of the modulus, for RSA. */
  readonly bits: number;
  /** t=y: the domain only tries it out. */
  readonly testing: boolean;
  /** t=s: i= must be of d= itself. */
  readonly sameDomain: boolean;
}

/** Why a signature cannot be checked. */
export interface NoKey {
  readonly trouble: "temperror" | "permerror";
  readonly because: string;
}

export interface KeyPolicy {
  /** Shorter RSA keys are no proof (RFC 8301 3.2: 1024). */
  readonly rsaBitsMin: number;
  /** rsa-sha1 is history (RFC 8301 3.1); only old test mails need it. */
  readonly sha1: boolean;
}

export const KEY_POLICY: KeyPolicy = { rsaBitsMin: 1024, sha1: false };

/** A longer one takes long to use and is nobody's: RFC 8301 asks for 4096 at most. */
const RSA_BITS_MAX = 8192;
const RECORDS_MAX = 8;

const bad = (because: string): NoKey => ({ trouble: "permerror", because });

/** Finds the key of a signature. Never throws for what DNS or the record says. */
export async function findKey(
  names: Names,
  { domain, selector }: { domain: string; selector: string },
  { algorithm, policy }: { algorithm: Algorithm; policy: KeyPolicy },
): Promise<PublicKey | NoKey> {
  if (algorithm.hash === "sha1" && !policy.sha1) return bad("rsa-sha1 proves nothing any more");
  try {
    const { records } = await names.ask(`${selector}._domainkey.${domain}`, "TXT");
    if (records.length === 0) return bad("no key in DNS");
    let first: NoKey | undefined;
    for (const text of records.slice(0, RECORDS_MAX)) {
      const read = readKey(text, algorithm);
      if ("because" in read) first ??= read;
      else return read.bits < policy.rsaBitsMin ? bad(`a key of ${read.bits} bits`) : read;
    }
    return first ?? bad("no key in DNS");
  } catch (error) {
    if (error instanceof Unavailable) return { trouble: "temperror", because: "DNS does not answer" };
    throw error;
  }
}

const KEYS_KEPT = 4096;
const known = new Map<string, PublicKey | NoKey>();

function readKey(text: string, algorithm: Algorithm): PublicKey | NoKey {
  const name = `${algorithm.key} ${algorithm.hash} ${text}`;
  let key = known.get(name);
  if (!key) {
    if (known.size >= KEYS_KEPT) known.clear();
    key = parseKey(text, algorithm);
    known.set(name, key);
  }
  return key;
}

function parseKey(text: string, algorithm: Algorithm): PublicKey | NoKey {
  const tags = readTags(text);
  if (!tags) return bad("a syntax error in the key record");
  if (tags.has("v") && (tags.get("v") !== "DKIM1" || [...tags.keys()][0] !== "v"))
    return bad("the key is not version DKIM1");
  const list = (tag: string): string[] | undefined => {
    const value = tags.get(tag);
    return value === undefined ? undefined : unfolded(value).toLowerCase().split(":");
  };
  if ((tags.get("k") ?? "rsa").toLowerCase() !== algorithm.key) return bad("the key is of another kind");
  if (list("h")?.includes(algorithm.hash) === false) return bad("the key is not for this hash");
  const services = list("s");
  if (services && !services.includes("*") && !services.includes("email")) return bad("the key is not for mail");
  const written = tags.get("p");
  if (written === undefined) return bad("no p= in the key record");
  if (unfolded(written) === "") return bad("the key is revoked");
  const bytes = fromBase64(written);
  const key = bytes && importKey(bytes, algorithm.key);
  if (!key) return bad("the key is broken");
  const bits = key.asymmetricKeyDetails?.modulusLength ?? Number.POSITIVE_INFINITY;
  if (algorithm.key === "rsa" && bits > RSA_BITS_MAX) return bad(`a key of ${bits} bits`);
  const flags = list("t") ?? [];
  return { key, bits, testing: flags.includes("y"), sameDomain: flags.includes("s") };
}

/** SubjectPublicKeyInfo in front of the 32 bytes of an Ed25519 key (RFC 8410). */
const ED25519_PREFIX = Buffer.from("302a300506032b6570032100", "hex");

function importKey(bytes: Buffer, kind: Algorithm["key"]): KeyObject | undefined {
  if (kind === "ed25519") {
    return bytes.length === 32 ? tryImport(Buffer.concat([ED25519_PREFIX, bytes]), "spki", "ed25519") : undefined;
  }
  // Some publish the bare RSAPublicKey.
  return tryImport(bytes, "spki", "rsa") ?? tryImport(bytes, "pkcs1", "rsa");
}

function tryImport(key: Buffer, type: "spki" | "pkcs1", kind: string): KeyObject | undefined {
  try {
    const imported = createPublicKey({ key, format: "der", type });
    return imported.asymmetricKeyType === kind ? imported : undefined;
  } catch {
    return undefined;
  }
}
