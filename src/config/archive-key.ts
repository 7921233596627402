import { readFileSync } from "node:fs";
import { Misuse } from "../kit/trouble.ts";
import type { Config } from "./schema.ts";

const KEY_BYTES = 32;
const HEX = /^[0-9a-f]{64}$/i;
const BASE64 = /^[A-Za-z0-9+/]{43}=?$/;

/**
 * The key that the archive is encrypted with: `ledger.archiveKey`, else read from `ledger.archiveKeyFile`: 32 bytes, as they are, in
 * hexadecimal or base64.
 * @returns undefined: the archive is not encrypted
 * @throws Misuse when it cannot be read or is no such key; it never repeats a piece of it
 */
export function readArchiveKey({ ledger }: Pick<Config, "ledger">): Buffer | undefined {
  const { archiveKey, archiveKeyFile } = ledger;
  if (archiveKey === undefined && archiveKeyFile === undefined) return undefined;
  const name = archiveKey === undefined ? archiveKeyFile : "ledger.archiveKey";
  const key = keyIn(archiveKey === undefined ? bytesOf(archiveKeyFile ?? "") : Buffer.from(archiveKey));
  if (key) return key;
  throw new Misuse(
    `the archive's key ${name} is not 32 bytes, hexadecimal or base64; one is made with: openssl rand -hex 32`,
  );
}

function bytesOf(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new Misuse(`cannot read the archive's key ${path}: ${(error as NodeJS.ErrnoException).code ?? "unreadable"}`);
  }
}

function keyIn(bytes: Buffer): Buffer | undefined {
  if (bytes.length === KEY_BYTES) return bytes;
  const text = bytes.toString("latin1").trim();
  if (HEX.test(text)) return Buffer.from(text, "hex");
  return BASE64.test(text) ? Buffer.from(text, "base64") : undefined;
}
