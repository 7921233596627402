import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { makeOnce } from "../config/made-once.ts";
import type { Config } from "../config/schema.ts";
import type { Clock } from "../kit/clock.ts";
import type { Duty } from "../kit/duties.ts";
import { every } from "../kit/every.ts";
import type { Log } from "../kit/log.ts";
import { Misuse } from "../kit/trouble.ts";
import type { PackChoice } from "../law/choice.ts";
import type { Pack } from "../law/pack.ts";
import type { Recorder } from "../ledger/recorder.ts";
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
const keepDaysOf = ({ adArchive }: Pick<Config, "adArchive">, active: readonly Pack[]): number =>
  Math.max(adArchive.days, ...active.map(({ retention }) => retention?.contentDays ?? 0));

const opened = new WeakMap<Config, AdCopies>();

/** The same, once for each configuration; undefined: it keeps none. @throws Misuse */
export function copiesOf({ clock }: { readonly clock: Clock }, config: Config): AdCopies | undefined {
  if (config.adArchive.keep === "off") return undefined;
  const copies = opened.get(config) ?? adCopiesOf(config, clock);
  opened.set(config, copies);
  return copies;
}

export interface AdDutyParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly recorder: Recorder;
  /** In force now. */
  readonly law: { readonly config: Config; readonly choice: PackChoice };
}

const SWEEP_MS = 3_600_000;

/** Copies whose time is over are deleted, with an entry for each day. */
export const adDuty = (house: AdDutyParts): Duty => ({
  name: "ad copies",
  begin: async () =>
    every(SWEEP_MS, async () => {
      const { config, choice } = house.law;
      const removed = await copiesOf(house, config)
        ?.sweep(keepDaysOf(config, choice.active))
        .catch((error: unknown) => void house.log.warn({ err: error }, "old copies of advertisements stay"));
      for (const evidence of removed ?? []) {
        await house.recorder
          .record([{ event: "ad-archive-deleted", evidence }])
          .catch((error: unknown) => house.log.warn({ err: error }, "a deletion could not be written down"));
      }
    }),
});
