/**
 * A process of its own that writes a ledger and archives it at the same time, on a clock that runs some thousand times as fast:
 * `node ledger-child.ts DIR FROM_MS KEY_FILE`. It says each entry's id once it is durable.
 */
import { readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { createIds } from "../../src/kit/ids.ts";
import { keepLedger } from "../../src/ledger/keeping.ts";
import { createRecorder } from "../../src/ledger/recorder.ts";
import { sealKeyOf } from "../../src/ledger/seal.ts";
import { openArchive } from "../../src/stores/duckdb/archive.ts";
import { openJournal } from "../../src/stores/hourlog/journal.ts";

const [dir = "", fromMs = "0", keyFile = ""] = process.argv.slice(2);
const clock = { nowMs: Number(fromMs), now: () => clock.nowMs };
const STEP_MS = 15_000;

const root = join(dir, "ledger");
const journal = await openJournal(root, { timeoutMs: 10_000 });
const ids = createIds(clock, Buffer.alloc(32, 9));
const key = sealKeyOf(readFileSync(keyFile, "utf8"));
const archive = await openArchive({
  root,
  node: "relay-1",
  key,
  tempDir: join(dir, "work"),
  memoryMb: 200,
  threads: 1,
  graceMs: 0,
});
const recorder = createRecorder(journal, ids, clock);
let made = 0;

async function write(): Promise<void> {
  for (;;) {
    clock.nowMs += STEP_MS;
    const entries = Array.from({ length: 3 }, () => {
      made += 1;
      return {
        id: ids.next(),
        at: clock.nowMs,
        event: "received" as const,
        sender: `s${made % 11}@shop.example`,
        recipient: `r${made % 7}@local.example`,
        clientIp: `192.0.2.${made % 200}`,
      };
    });
    await journal.append(entries);
    writeSync(1, entries.map(({ id }) => `${id}\n`).join(""));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

const believed = async (): Promise<{ believed: boolean; jumpMs: number }> => ({ believed: true, jumpMs: 0 });
const clockGuard = {
  judge: believed,
  check: believed,
  confirm: async () => undefined,
  isNews: async () => false,
  told: async () => undefined,
};
let announced = 0;
const keeping = {
  journal,
  archive,
  recorder,
  holds: async () => [],
  clockGuard,
  announced: {
    upTo: async () => announced,
    advance: async (seq: number) => {
      announced = seq;
    },
  },
  retentionDays: 100_000,
};

async function keep(): Promise<void> {
  for (;;) {
    const { hours, sealed } = await keepLedger(keeping, { nowMs: clock.nowMs, uptimeMs: 0, bootId: "" });
    writeSync(1, `kept ${hours} ${sealed.length}\n`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

await Promise.all([write(), write(), keep()]);
