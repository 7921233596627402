/**
 * The process that changes the archive for a relay: `archive-process.ts` starts it. Its memory is given back when it ends, it stands back
 * where the relay wants the processor, and it ends with the relay.
 */
import { setPriority } from "node:os";
import { Unavailable } from "../../kit/trouble.ts";
import type { Archive } from "../../ledger/archive.ts";
import type { Journal } from "../../ledger/journal.ts";
import { sealKeyOf } from "../../ledger/seal.ts";
import { openJournal } from "../hourlog/journal.ts";
import { openArchive } from "./archive.ts";
import type { Answer, Call, Order, Setup } from "./archive-process.ts";

/** As nice(1): a tenth of the processor where others want it. */
const NICENESS = 10;

interface Work {
  readonly archive: Archive;
  readonly journal: Journal;
}

async function open({ keyPem, journalDir, ...options }: Setup): Promise<Work> {
  const archive = await openArchive({ ...options, key: sealKeyOf(keyPem), threads: 1 });
  return { archive, journal: await openJournal(journalDir) };
}

/** Of that hour whatever is there by now. One that is not there is in the archive already. */
async function absorb(name: string, { archive, journal }: Work): Promise<number> {
  const taken = await archive.taken(await journal.sources());
  const hours = await journal.closedHours(Number.MAX_SAFE_INTEGER, taken);
  const hour = hours.find((each) => each.hour === name);
  return hour ? archive.absorb(hour) : 0;
}

function follow(call: Call, work: Work): Promise<unknown> {
  if (call.name === "absorb") return absorb(call.hour, work);
  if (call.name === "seal") return work.archive.seal(call.date, call.nowMs);
  if (call.name === "remove") return work.archive.remove(call.date, call.nowMs);
  return work.archive.tidy();
}

const answer = (message: Answer): void => void process.send?.(message);

setPriority(NICENESS);
let working: Promise<Work> | undefined;
process.on("message", async ({ id, setup, call }: Order) => {
  try {
    working ??= open(setup);
    answer({ id, value: await follow(call, await working) });
  } catch (error) {
    const { message } = error as Error;
    answer({ id, trouble: message, unavailable: error instanceof Unavailable });
  }
});
process.on("disconnect", () => process.exit());
