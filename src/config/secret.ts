import { randomBytes } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Misuse } from "../kit/trouble.ts";
import type { Config } from "./schema.ts";

const SECRET_BYTES_MIN = 16;

/**
 * The site's key: seals ids, and keys the hashes of the ledger. Read from `secretFile`, else made once in `dataDir`; two
 * processes that start together end up with the same one.
 * @throws Misuse when it cannot be read or is too short
 */
export function readSecret({ secretFile, dataDir }: Pick<Config, "secretFile" | "dataDir">): Buffer {
  const path = secretFile ?? join(dataDir, "secret");
  try {
    if (secretFile === undefined) makeOnce(dataDir, path);
    const secret = readFileSync(path);
    if (secret.length >= SECRET_BYTES_MIN) return secret;
  } catch (error) {
    throw new Misuse(`cannot read the secret ${path}: ${(error as Error).message}`);
  }
  throw new Misuse(`the secret ${path} is shorter than ${SECRET_BYTES_MIN} bytes`);
}

/** Written whole under another name, then linked into place: whoever comes second finds the first one's. */
function makeOnce(dataDir: string, path: string): void {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const draft = `${path}.${process.pid}.${randomBytes(4).toString("hex")}`;
  writeFileSync(draft, randomBytes(32), { mode: 0o600 });
  try {
    linkSync(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    unlinkSync(draft);
  }
}
