import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Misuse } from "../kit/trouble.ts";
import { makeOnce } from "./made-once.ts";
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
    if (secretFile === undefined) makeOnce(path, () => randomBytes(32));
    const secret = readFileSync(path);
    if (secret.length >= SECRET_BYTES_MIN) return secret;
  } catch (error) {
    throw new Misuse(`cannot read the secret ${path}: ${(error as Error).message}`);
  }
  throw new Misuse(`the secret ${path} is shorter than ${SECRET_BYTES_MIN} bytes`);
}
