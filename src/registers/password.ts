import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";

/** scrypt cost: N = 2^15, r = 8, p = 1; about 32 MiB and some 50 ms (RFC 7914 2). */
const LOG_N = 15;
const BLOCK = 8;
const KEY_BYTES = 32;
const MEMORY_MAX = 64 * 1024 * 1024;

const derive = (password: string, salt: Buffer, logN: number): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const cost = { N: 2 ** logN, r: BLOCK, p: 1, maxmem: MEMORY_MAX };
    scrypt(password.normalize("NFKC"), salt, KEY_BYTES, cost, (error, key) => (error ? reject(error) : resolve(key)));
  });

/** Hashes a password for the client register: `$scrypt$ln=15$salt$key`, base64. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const key = await derive(password, salt, LOG_N);
  return `$scrypt$ln=${LOG_N}$${salt.toString("base64")}$${key.toString("base64")}`;
}

/** A hash that no password has: checked when there is no such client, so that the answer takes as long. */
export const NOBODY = `$scrypt$ln=${LOG_N}$${Buffer.alloc(16).toString("base64")}$${Buffer.alloc(KEY_BYTES).toString("base64")}`;

/** @returns whether the password has this hash; false for a hash in another form */
export async function verifyPassword(password: string, hash: string): Promise<boolean> {
  const match = /^\$scrypt\$ln=(\d{1,2})\$([\w+/=]+)\$([\w+/=]+)$/.exec(hash);
  const logN = Number(match?.[1]);
  if (!match || logN < 10 || logN > LOG_N) return false;
  const expected = Buffer.from(match[3] ?? "", "base64");
  const key = await derive(password, Buffer.from(match[2] ?? "", "base64"), logN);
  return expected.length === key.length && timingSafeEqual(expected, key);
}
