import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { makeOnce } from "../config/made-once.ts";
import type { Config } from "../config/schema.ts";
import type { Clock } from "../kit/clock.ts";
import { Misuse } from "../kit/trouble.ts";
import type { Pack } from "../law/pack.ts";
import { type AdCopies, openAdCopies } from "./ads/archive.ts";

const KEY_BYTES = 32;

/** The copies of a configuration; the key is made where there is none. @throws Misuse when the key cannot be used */
export function adCopiesOf({ adArchive, dataDir }: Pick<Config, "adArchive" | "dataDir">, clock: Clock): AdCopies {
  const file = adArchive.keyFile ?? join(dataDir, "ad-archive-key");
  try {
    if (adArchive.keyFile === undefined) makeOnce(file, () => randomBytes(KEY_BYTES));
    const bytes = readFileSync(file);
    const text = bytes.toString("latin1").trim();
    const key = /^[0-9a-f]{64}$/i.test(text) ? Buffer.from(text, "hex") : bytes;
    if (key.length !== KEY_BYTES) throw new Error("expected 32 bytes, as they are or in hexadecimal");
    return openAdCopies({ directory: adArchive.directory ?? join(dataDir, "ads"), key, clock });
  } catch (error) {
    throw new Misuse(`adArchive.keyFile ${file}: ${(error as Error).message}`);
  }
}

/** How long copies are kept: what the operator says, and no less than the longest that a law in force asks for. */
export const keepDaysOf = ({ adArchive }: Pick<Config, "adArchive">, active: readonly Pack[]): number =>
  Math.max(adArchive.days, ...active.map(({ retention }) => retention?.contentDays ?? 0));
