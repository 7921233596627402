/**
 * Encryption of files to the holder of a key, in the format of age (age-encryption.org/v1, X25519): whoever has the other half opens them
 * with `age --decrypt`, and needs nothing of ours.
 */
import {
  createCipheriv,
  createHmac,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  randomBytes,
} from "node:crypto";

const FILE_KEY_BYTES = 16;
const NONCE_BYTES = 16;
const CHUNK_BYTES = 65_536;
const KEY_BYTES = 32;
const COUNTER_BYTES = 11;
const TAG_BYTES = 16;
/** SubjectPublicKeyInfo of an X25519 key, up to its 32 bytes (RFC 8410). */
const SPKI_HEAD = Buffer.from("302a300506032b656e032100", "hex");

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64").replace(/=+$/, "");
const hkdf = (key: Uint8Array, salt: Uint8Array, info: string): Buffer =>
  Buffer.from(hkdfSync("sha256", key, salt, info, KEY_BYTES));

function seal(key: Buffer, nonce: Buffer, text: Uint8Array): Buffer {
  const cipher = createCipheriv("chacha20-poly1305", key, nonce, { authTagLength: TAG_BYTES });
  return Buffer.concat([cipher.update(text), cipher.final(), cipher.getAuthTag()]);
}

/** The file key, wrapped for one recipient. */
function stanza(fileKey: Buffer, recipient: Buffer): string {
  const ephemeral = generateKeyPairSync("x25519");
  const share = ephemeral.publicKey.export({ type: "spki", format: "der" }).subarray(SPKI_HEAD.length);
  const publicKey = createPublicKey({ key: Buffer.concat([SPKI_HEAD, recipient]), format: "der", type: "spki" });
  const shared = diffieHellman({ privateKey: ephemeral.privateKey, publicKey });
  const wrapKey = hkdf(shared, Buffer.concat([share, recipient]), "age-encryption.org/v1/X25519");
  return `-> X25519 ${base64(share)}\n${base64(seal(wrapKey, Buffer.alloc(12), fileKey))}\n`;
}

function header(fileKey: Buffer, recipients: readonly Buffer[]): string {
  const text = `age-encryption.org/v1\n${recipients.map((each) => stanza(fileKey, each)).join("")}---`;
  const mac = createHmac("sha256", hkdf(fileKey, Buffer.alloc(0), "header"))
    .update(text)
    .digest();
  return `${text} ${base64(mac)}\n`;
}

/**
 * Encrypts a stream; memory stays bounded.
 * @param recipients public keys as `readRecipient` gives them, at least one; each of their holders can open it
 */
export async function* encrypt(
  source: AsyncIterable<Uint8Array>,
  recipients: readonly Buffer[],
): AsyncGenerator<Buffer> {
  const fileKey = randomBytes(FILE_KEY_BYTES);
  const nonce = randomBytes(NONCE_BYTES);
  const key = hkdf(fileKey, nonce, "payload");
  yield Buffer.from(header(fileKey, recipients));
  yield nonce;
  let count = 0;
  const next = (chunk: Buffer, last: boolean): Buffer => {
    const counter = Buffer.alloc(COUNTER_BYTES + 1);
    counter.writeUIntBE(count, COUNTER_BYTES - 6, 6);
    counter[COUNTER_BYTES] = last ? 1 : 0;
    count += 1;
    return seal(key, counter, chunk);
  };
  let held: Buffer = Buffer.alloc(0);
  for await (const piece of source) {
    held = Buffer.concat([held, piece]);
    // The last chunk is marked as such: one is kept back until it is known that more follows.
    for (; held.length > CHUNK_BYTES; held = held.subarray(CHUNK_BYTES))
      yield next(held.subarray(0, CHUNK_BYTES), false);
  }
  yield next(held, true);
}

const CHARSET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const CHECKSUM_CHARS = 6;
const GENERATORS = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];

/** The checksum of Bech32 (BIP 173): 1 for a text that is right. */
function checksum(values: readonly number[]): number {
  let sum = 1;
  for (const value of values) {
    const top = sum >>> 25;
    sum = ((sum & 0x1ffffff) << 5) ^ value;
    GENERATORS.forEach((generator, bit) => {
      if ((top >>> bit) & 1) sum ^= generator;
    });
  }
  return sum;
}

const PREFIX = "age";
const PREFIX_VALUES = [
  ...[...PREFIX].map((char) => char.charCodeAt(0) >> 5),
  0,
  ...[...PREFIX].map((char) => char.charCodeAt(0) & 31),
];

/** Reads "age1…". @returns undefined when it is no such key */
export function readRecipient(text: string): Buffer | undefined {
  if (!/^age1[02-9ac-hj-np-z]{58}$/.test(text)) return undefined;
  const values = [...text.slice(PREFIX.length + 1)].map((char) => CHARSET.indexOf(char));
  if (checksum([...PREFIX_VALUES, ...values]) !== 1) return undefined;
  const bits = values
    .slice(0, -CHECKSUM_CHARS)
    .map((value) => value.toString(2).padStart(5, "0"))
    .join("");
  const bytes = Array.from({ length: KEY_BYTES }, (_, index) =>
    Number.parseInt(bits.slice(index * 8, index * 8 + 8), 2),
  );
  return /^0*$/.test(bits.slice(KEY_BYTES * 8)) ? Buffer.from(bytes) : undefined;
}
