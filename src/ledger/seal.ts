/**
 * The seal of an archived day: what its files hold, who sealed it, and the seal before. Each seal names the digest of the one before it,
 * so that no day can be changed, left out or put in between without the next seal saying so.
 *
 * A seal is two lines: the record as JSON, and the Ed25519 signature of exactly that line in base64. So it is checked with
 * `openssl pkeyutl -verify -rawin` and nothing of ours.
 */
import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";

export interface SealedFile {
  readonly name: string;
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

/** How many entries of an event and verdict. */
export interface EventCount {
  readonly event: string;
  readonly verdict?: string;
  readonly entries: number;
}

/** A day that was deleted because its time was over. */
export interface Removal {
  readonly seq: number;
  readonly date: string;
  readonly volume: string;
  /** Of its seal. */
  readonly digest: string;
  readonly entries: number;
  /** ISO 8601. */
  readonly removedAt: string;
}

export interface Seal {
  readonly schema: 1;
  readonly node: string;
  /** UTC: "2026-11-22". */
  readonly date: string;
  /** "day"; "late-1", "late-2" … for entries that turned up when the day was sealed already. */
  readonly volume: string;
  /** 1, 2, 3 … of this node. */
  readonly seq: number;
  /** Digest of the seal with the number before; null for the first. */
  readonly previous: string | null;
  /** ISO 8601. */
  readonly sealedAt: string;
  readonly entries: number;
  readonly files: readonly SealedFile[];
  /** SHA-256 over the hashes of all rows, in the order of their ids. */
  readonly rows: string;
  readonly counts: readonly EventCount[];
  /** The hour files it was made of, and how far the journal's sources went into it. */
  readonly replaces: readonly string[];
  readonly taken: Readonly<Record<string, number>>;
  /** Days deleted since the seal before. */
  readonly removed: readonly Removal[];
  /** Fingerprint of the key. */
  readonly key: string;
}

/** The pair that signs seals and exports. */
export interface SealKey {
  readonly fingerprint: string;
  readonly publicPem: string;
  sign(text: string): string;
}

const FINGERPRINT_CHARS = 16;

/** The first 16 hex digits of the SHA-256 of the public key (SubjectPublicKeyInfo, DER). */
export const fingerprintOf = (key: KeyObject): string =>
  createHash("sha256")
    .update(key.export({ type: "spki", format: "der" }))
    .digest("hex")
    .slice(0, FINGERPRINT_CHARS);

/** @param pem PKCS #8. @throws Error when it is no Ed25519 key */
export function sealKeyOf(pem: string): SealKey {
  const secret = createPrivateKey(pem);
  if (secret.asymmetricKeyType !== "ed25519") throw new Error("an Ed25519 key is needed");
  const key = createPublicKey(secret);
  return {
    fingerprint: fingerprintOf(key),
    publicPem: key.export({ type: "spki", format: "pem" }).toString(),
    sign: (text) => sign(null, Buffer.from(text), secret).toString("base64"),
  };
}

export const digestOf = (line: string): string => createHash("sha256").update(line).digest("hex");

/** The text of a seal's file. */
export function writeSeal(seal: Seal, key: SealKey): string {
  const line = JSON.stringify(seal);
  return `${line}\n${key.sign(line)}\n`;
}

/** A seal as it was read: what it says, and what may be wrong with it. */
export interface ReadSeal {
  readonly seal: Seal;
  readonly digest: string;
  readonly line: string;
  readonly signature: string;
}

/** undefined: this is no seal. */
export function readSeal(text: string): ReadSeal | undefined {
  const [line = "", signature = ""] = text.split("\n");
  try {
    const seal = JSON.parse(line) as Partial<Seal>;
    const whole =
      typeof seal.node === "string" &&
      typeof seal.date === "string" &&
      typeof seal.volume === "string" &&
      Number.isInteger(seal.seq) &&
      Array.isArray(seal.files) &&
      Array.isArray(seal.replaces) &&
      typeof seal.taken === "object";
    return whole ? { seal: seal as Seal, digest: digestOf(line), line, signature } : undefined;
  } catch {
    return undefined;
  }
}

/** Was this signed with the key whose public half is given? */
export function isSigned({ line, signature }: Pick<ReadSeal, "line" | "signature">, publicPem: string): boolean {
  const bytes = Buffer.from(signature, "base64");
  // Base64 can write the same bytes in more than one way.
  if (bytes.toString("base64") !== signature) return false;
  try {
    return verify(null, Buffer.from(line), createPublicKey(publicPem), bytes);
  } catch {
    return false;
  }
}

/** One line to be kept where whoever can change the archive cannot: on another machine, in a syslog, in print. */
export const anchorLine = ({ seal, digest }: Pick<ReadSeal, "seal" | "digest">): string =>
  `consentry-anchor node=${seal.node} seq=${seal.seq} date=${seal.date} volume=${seal.volume} entries=${seal.entries} digest=${digest} key=${seal.key}`;

const ANCHOR = /consentry-anchor node=(\S+) seq=(\d+) date=(\S+) .*\bdigest=([0-9a-f]{64})\b/;

export interface Anchor {
  readonly node: string;
  readonly seq: number;
  readonly date: string;
  readonly digest: string;
}

/** The anchors among the lines of a text; whatever a syslog puts in front does not matter. */
export function readAnchors(text: string): Anchor[] {
  return text.split("\n").flatMap((line) => {
    const [, node, seq, date, digest] = ANCHOR.exec(line) ?? [];
    return node && seq && date && digest ? [{ node, seq: Number(seq), date, digest }] : [];
  });
}
