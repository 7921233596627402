/** The ledger's house is kept again and again while the relay runs: see keeping.ts for what there is to do. */
import type { Log } from "../kit/log.ts";
import { machineUptime } from "../kit/machine.ts";
import { type Rounds, startRounds } from "../kit/rounds.ts";
import type { Tables } from "../kit/store.ts";
import { createClockGuard } from "./clock-guard.ts";
import { createHoldRegister } from "./holds.ts";
import { createAnnounced, type Keeping, type Kept, keepLedger } from "./keeping.ts";
import { anchorLine } from "./seal.ts";

export interface Housekeeping extends Pick<Keeping, "journal" | "archive" | "recorder"> {
  readonly clock: { now(): number };
  readonly tables: Tables;
  readonly log: Log;
  /** In force now. */
  settings(): { readonly retentionDays: number; readonly awayDaysMax: number };
  /** Writes a line where the archive cannot be reached from. @throws Error; then the seal is told again later */
  anchor(line: string): Promise<void>;
}

/** Often enough for an hour to leave the journal soon after its end. */
const EVERY_MS = 300_000;
/** The relay comes first. */
const FIRST_MS = 10_000;

export function startHousekeeping(house: Housekeeping): Rounds {
  const { journal, archive, recorder, clock, tables, log } = house;
  const keeping = {
    journal,
    archive,
    recorder,
    holds: createHoldRegister(tables, clock).list,
    clockGuard: createClockGuard(tables, archive.node, () => house.settings().awayDaysMax),
    announced: createAnnounced(tables, archive.node),
    async onSealed(sealed: Parameters<typeof anchorLine>[0]): Promise<void> {
      const line = anchorLine(sealed);
      log.info(line);
      await house.anchor(line);
    },
  };
  const keep = async (): Promise<void> => {
    const { retentionDays } = house.settings();
    tell(log, await keepLedger({ ...keeping, retentionDays }, { nowMs: clock.now(), ...machineUptime() }));
  };
  let stopping = false;
  const rounds = startRounds(keep, {
    everyMs: EVERY_MS,
    firstMs: FIRST_MS,
    onError(error) {
      // What a stop cut off is made again after the next start.
      if (!stopping) log.error({ err: error }, "the ledger could not be put in order; it is tried again soon");
    },
  });
  return {
    stop() {
      stopping = true;
      return rounds.stop();
    },
  };
}

function tell(log: Log, { doubted, ...kept }: Kept): void {
  if (kept.hours + kept.sealed.length + kept.deleted.length > 0) log.info(kept, "the ledger was put in order");
  if (doubted) {
    const { dates, jumpMs } = doubted;
    log.warn(
      { days: dates.length, jumpMs },
      "the clock went forward too far: no day is deleted until somebody confirms it (consentry ledger clock confirm)",
    );
  }
}
