/** A site whose ledger has days behind it: mails of three weeks, all sealed, and the command line on it. */
import { join } from "node:path";
import { configSchema } from "../../src/config/schema.ts";
import { readSealKey } from "../../src/config/seal-key.ts";
import { readSecret } from "../../src/config/secret.ts";
import { createIds } from "../../src/kit/ids.ts";
import type { Entry } from "../../src/ledger/entry.ts";
import { keepLedger } from "../../src/ledger/keeping.ts";
import { createRecorder } from "../../src/ledger/recorder.ts";
import { sealKeyOf } from "../../src/ledger/seal.ts";
import { openArchive } from "../../src/stores/duckdb/archive.ts";
import { openJournal } from "../../src/stores/hourlog/journal.ts";
import { ledgerPlace } from "../../src/stores/open-ledger.ts";
import { type Cli, createCli } from "./cli.ts";

const DAY_MS = 86_400_000;
export interface LedgerSite extends Cli {
  readonly dataDir: string;
  /** Directory of the archive. */
  readonly root: string;
  readonly node: string;
  /** What was written, oldest first. */
  readonly entries: readonly Entry[];
  /** The first millisecond of today, UTC. */
  readonly todayMs: number;
}

const PEOPLE = ["li@example.com", "wang@example.com", "an@example.vn"];

/** Three mails a day, each judged and handed over; the last ones yesterday. */
export async function createLedgerSite(config: string, days = 21): Promise<LedgerSite> {
  const cli = createCli(config);
  const dataDir = join(cli.dir, "data");
  const settings = configSchema.parse({ dataDir });
  const { root, node, work } = ledgerPlace(settings);
  const clock = { nowMs: 0, now: () => clock.nowMs };
  const journal = await openJournal(root);
  const ids = createIds(clock, readSecret(settings));
  const todayMs = Math.floor(Date.now() / DAY_MS) * DAY_MS;
  const entries: Entry[] = [];
  for (let day = days; day > 0; day -= 1) {
    for (const [index, person] of PEOPLE.entries()) {
      clock.nowMs = todayMs - day * DAY_MS + index * 60_000;
      entries.push(...mail(ids.next, { at: clock.nowMs, person, mailId: ids.sealed(), index }));
    }
  }
  await journal.append(entries);
  const archive = await openArchive({
    root,
    node,
    key: sealKeyOf(readSealKey(settings)),
    ...work,
    threads: 1,
  });
  // By noon yesterday is sealed, whenever the test runs.
  clock.nowMs = todayMs + DAY_MS / 2;
  const now = { nowMs: clock.nowMs, uptimeMs: 0, bootId: "" };
  await keepLedger(
    {
      journal,
      archive,
      recorder: createRecorder(journal, ids, clock),
      holds: async () => [],
      clockGuard: {
        judge: async () => ({ believed: true, jumpMs: 0 }),
        check: async () => ({ believed: true, jumpMs: 0 }),
        confirm: async () => undefined,
        isNews: async () => false,
        told: async () => undefined,
      },
      announced: { upTo: async () => 0, advance: async () => undefined },
      retentionDays: 60,
    },
    now,
  );
  await archive.close();
  await journal.close();
  return { ...cli, dataDir, root, node, entries, todayMs };
}

interface Mail {
  readonly at: number;
  readonly person: string;
  readonly mailId: string;
  readonly index: number;
}

function mail(newId: () => string, { at, person, mailId, index }: Mail): Entry[] {
  const common = {
    mailId,
    door: "smtp",
    direction: "in",
    sender: "news@shop.example",
    recipient: person,
    clientIp: "198.51.100.7",
    clientPort: 40_000 + index,
    helo: "mail.shop.example",
    messageId: `<${mailId}@shop.example>`,
    sizeBytes: 2_000,
    verdict: "accept",
  } as const;
  return [
    { id: newId(), at, event: "received", ...common },
    { id: newId(), at: at + 7, event: "handed-over", ...common, nextHopIp: "192.0.2.2", reply: "250 2.0.0 stored" },
  ];
}
