/**
 * The archive encrypted at rest: Parquet files by modules of AES-256-GCM as DuckDB reads them; the list of row hashes and the head of the
 * index by AES-256-GCM as a whole; addresses in the index are hashed with a key. From the site's key a key is derived for each node and
 * month (HKDF-SHA256), so that none encrypts more than some millions of modules: two random nonces of 96 bits do not meet.
 *
 * DuckDB knows no additional data: a module says nothing of its place, and could be put in another's. That the seals notice.
 */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";
import { Unavailable } from "../../kit/trouble.ts";

export interface Cipher {
  /** Name under which DuckDB knows the key for this file, and the key. */
  parquetKey(path: string): { readonly name: string; readonly base64: string };
  /** Encrypts and decrypts the modules of such a file, as DuckDB reads and writes them. */
  parquetModule(path: string): {
    seal(bytes: Buffer): Buffer;
    /** @throws Error when it was changed */
    unseal(bytes: Buffer): Buffer;
  };
  /** A number of 32 bits for a text of this file's month, that nobody makes without the key. */
  hash(path: string, text: string): string;
  encrypt(path: string, content: Buffer): Buffer;
  /** What `encrypt` made; anything else as it is. @throws Unavailable when it was changed */
  decrypt(path: string, content: Buffer): Buffer;
}

export const KEY_BYTES = 32;
const MAGIC = Buffer.from("CLX1");
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEAD_BYTES = MAGIC.length + NONCE_BYTES + TAG_BYTES;
const PLACE = /date=(\d{4}-\d{2})-\d{2}[/\\]node=([^/\\]+)[/\\][^/\\]+$/;

/** "2026-11 relay-1": files of one node and month have one key. */
function scopeOf(path: string): string {
  const [, month, node] = PLACE.exec(path) ?? [];
  if (month === undefined || node === undefined) throw new Error(`${path} is no place in the archive`);
  return `${month} ${node}`;
}

export function createCipher(key: Uint8Array): Cipher {
  const derived = new Map<string, Buffer>();
  const keyOf = (use: string, path: string): Buffer => {
    const info = `consentry ledger ${use} ${scopeOf(path)}`;
    const known = derived.get(info) ?? Buffer.from(hkdfSync("sha256", key, "", info, KEY_BYTES));
    derived.set(info, known);
    return known;
  };
  return {
    parquetKey: (path) => ({
      name: `month-${scopeOf(path).replace(" ", "-")}`,
      base64: keyOf("parquet", path).toString("base64"),
    }),
    parquetModule: (path) => moduleCipher(keyOf("parquet", path)),
    hash: (path, text) => createHmac("sha256", keyOf("addresses", path)).update(text).digest("hex"),
    encrypt(path, content) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv("aes-256-gcm", keyOf("rows", path), nonce);
      const body = Buffer.concat([cipher.update(content), cipher.final()]);
      return Buffer.concat([MAGIC, nonce, cipher.getAuthTag(), body]);
    },
    decrypt(path, content) {
      if (!isEncrypted(content)) return content;
      const nonce = content.subarray(MAGIC.length, MAGIC.length + NONCE_BYTES);
      const decipher = createDecipheriv("aes-256-gcm", keyOf("rows", path), nonce);
      decipher.setAuthTag(content.subarray(MAGIC.length + NONCE_BYTES, HEAD_BYTES));
      return Buffer.concat([decipher.update(content.subarray(HEAD_BYTES)), decipher.final()]);
    },
  };
}

const LENGTH_BYTES = 4;

/** A module: how long the rest is, the nonce, what is encrypted, the tag. */
const moduleCipher = (key: Buffer): ReturnType<Cipher["parquetModule"]> => ({
  seal(bytes) {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv("aes-256-gcm", key, nonce);
    const body = Buffer.concat([cipher.update(bytes), cipher.final()]);
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeUInt32LE(NONCE_BYTES + body.length + TAG_BYTES);
    return Buffer.concat([length, nonce, body, cipher.getAuthTag()]);
  },
  unseal(bytes) {
    const end = LENGTH_BYTES + bytes.readUInt32LE(0);
    const decipher = createDecipheriv(
      "aes-256-gcm",
      key,
      bytes.subarray(LENGTH_BYTES, LENGTH_BYTES + NONCE_BYTES),
      TAG,
    );
    decipher.setAuthTag(bytes.subarray(end - TAG_BYTES, end));
    const body = decipher.update(bytes.subarray(LENGTH_BYTES + NONCE_BYTES, end - TAG_BYTES));
    decipher.final();
    return body;
  },
});

const TAG = { authTagLength: TAG_BYTES };

const isEncrypted = (content: Buffer): boolean => content.subarray(0, MAGIC.length).equals(MAGIC);

/** @throws Unavailable when it is encrypted and there is no key */
export function decrypted(path: string, content: Buffer, cipher: Cipher | undefined): Buffer {
  if (!cipher && isEncrypted(content)) throw keyMissing(path);
  return cipher?.decrypt(path, content) ?? content;
}

export const keyMissing = (path: string): Unavailable =>
  new Unavailable("ledger", `${path} is encrypted: ledger.archiveKeyFile has to name the key`);

/** Is this Parquet file encrypted? It says so in its first four bytes. */
export function isEncryptedParquet(path: string): boolean {
  const file = openSync(path, "r");
  try {
    const head = Buffer.alloc(4);
    readSync(file, head, 0, head.length, 0);
    return head.toString("latin1") === "PARE";
  } finally {
    closeSync(file);
  }
}
