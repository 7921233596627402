/** Killed at any moment, under load and while it archives, the ledger has every entry that was acknowledged, each once. */
import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { sealKeyOf } from "../../src/ledger/seal.ts";
import { openReader } from "../../src/stores/duckdb/reader.ts";
import { verifyArchive } from "../../src/stores/duckdb/verify.ts";
import { openJournal } from "../../src/stores/hourlog/journal.ts";
import { START_MS } from "../helpers/archive.ts";
import { startNode } from "../helpers/process.ts";
import { tempDir } from "../helpers/temp.ts";
import { until } from "../helpers/wait.ts";

const CHILD = fileURLToPath(new URL("../helpers/ledger-child.ts", import.meta.url));
/** LEDGER_CRASH_ROUNDS=200 for the long run. */
const ROUNDS = Number(process.env.LEDGER_CRASH_ROUNDS ?? 8);
const ROUND_MS_MAX = 30_000;
/** A child may have much to archive that others left, on a machine that is busy. */
const PATIENCE_MS = 120_000;
/** After so many rounds everything is looked at. */
const LOOK_EVERY = ROUNDS > 20 ? 10 : 1;
/** How far the clock of one child may get. */
const SPAN_MS = 10 * 86_400_000;

interface Seen {
  readonly ids: ReadonlySet<string>;
  readonly twice: readonly string[];
  readonly archived: number;
}

async function look(dir: string): Promise<Seen> {
  const root = join(dir, "ledger");
  const journal = await openJournal(root);
  const reader = await openReader({ root, journal, tempDir: join(dir, "work"), memoryMb: 200, threads: 2 });
  const ids = new Set<string>();
  const twice: string[] = [];
  for await (const { id } of reader.find({})) {
    if (ids.has(id)) twice.push(id);
    ids.add(id);
  }
  await reader.close();
  let hot = 0;
  for await (const _ of journal.find({})) hot += 1;
  await journal.close();
  return { ids, twice, archived: ids.size - hot };
}

it(
  `keeps every acknowledged entry exactly once over ${ROUNDS} kills at random moments`,
  async () => {
    const dir = tempDir();
    const keyFile = join(dir, "key.pem");
    const pem = generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    writeFileSync(keyFile, pem, { mode: 0o600 });
    const said: string[] = [];
    let fromMs = START_MS;
    for (let round = 0; round < ROUNDS; round += 1) {
      const child = await startNode(CHILD, [dir, String(fromMs), keyFile]);
      // Some die before they have archived anything, some in the middle of it, some after a day was sealed.
      await until("it writes", () => child.lines.length > 0);
      if (round % 2 === 1)
        await until("it archives", () => child.lines.some((line) => line.startsWith("kept")), PATIENCE_MS);
      await delay(Math.random() * 1_500);
      child.signal("SIGKILL");
      await child.exited;
      said.push(...child.lines.filter((line) => !line.startsWith("kept")));
      fromMs += SPAN_MS;
      if ((round + 1) % LOOK_EVERY !== 0) continue;
      const seen = await look(dir);
      expect(seen.twice, `twice after round ${round}`).toEqual([]);
      expect(
        said.filter((id) => !seen.ids.has(id)),
        `lost after round ${round}`,
      ).toEqual([]);
    }
    const { archived, ids } = await look(dir);
    expect(said.filter((id) => !ids.has(id))).toEqual([]);
    expect(archived).toBeGreaterThan(0);
    const key = sealKeyOf(pem);
    const verification = await verifyArchive({
      root: join(dir, "ledger"),
      node: "relay-1",
      tempDir: join(dir, "work"),
      memoryMb: 200,
      anchors: [],
      deletions: new Map(),
      keys: [key.publicPem],
    });
    expect(verification.troubles).toEqual([]);
    expect(verification.days).toBeGreaterThan(0);
    process.stderr.write(
      `${said.length} entries acknowledged, ${archived} archived, ${verification.days} days sealed\n`,
    );
  },
  ROUNDS * ROUND_MS_MAX,
);
