/** The archive as the relay has it: changed by a process of its own. */
import { generateKeyPairSync } from "node:crypto";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { Unavailable } from "../../src/kit/trouble.ts";
import type { Archive } from "../../src/ledger/archive.ts";
import { sealKeyOf } from "../../src/ledger/seal.ts";
import { openArchive } from "../../src/stores/duckdb/archive.ts";
import { openArchiveProcess } from "../../src/stores/duckdb/archive-process.ts";
import { openReader } from "../../src/stores/duckdb/reader.ts";
import { openJournal } from "../../src/stores/hourlog/journal.ts";
import { collect } from "../contract/tables.ts";
import { DAY_MS, HOUR_MS, mailEntries, START_MS } from "../helpers/archive.ts";
import { tempDir } from "../helpers/temp.ts";

const keyPem = generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString();
const DATE = "2026-11-01";

async function openBoth() {
  const dir = tempDir();
  const root = join(dir, "ledger");
  const place = { root, node: "relay-1", tempDir: join(dir, "work"), memoryMb: 200 };
  const journal = await openJournal(root);
  const archive = openArchiveProcess({ ...place, keyPem, journalDir: root });
  onTestFinished(async () => {
    await archive.close();
    await journal.close();
  });
  return { place, journal, archive };
}

async function absorbAll({ journal, archive }: Awaited<ReturnType<typeof openBoth>>): Promise<number> {
  let entries = 0;
  for (const hour of await journal.closedHours(START_MS + DAY_MS)) {
    entries += await archive.absorb(hour);
    await journal.forget(hour.taken);
  }
  return entries;
}

it("takes hours, seals days and deletes them", async () => {
  const both = await openBoth();
  const { place, journal, archive } = both;
  const entries = mailEntries([START_MS, START_MS + 1, START_MS + HOUR_MS]);
  await journal.append(entries);
  expect(await absorbAll(both)).toBe(3);
  expect(await journal.sources()).toEqual([]);
  expect(await archive.openDays()).toEqual([DATE]);
  const sealed = await archive.seal(DATE, START_MS + 2 * DAY_MS);
  expect(sealed?.seal).toMatchObject({ entries: 3, date: DATE, key: sealKeyOf(keyPem).fingerprint });
  expect(await archive.sealed()).toEqual([sealed]);
  const reader = await openReader({ ...place, journal });
  expect(await collect(reader.find({}))).toEqual(entries);
  await reader.close();
  expect(await archive.remove(DATE, START_MS + 3 * DAY_MS)).toMatchObject([{ date: DATE, entries: 3 }]);
  expect(await archive.sealed()).toEqual([]);
  await archive.tidy();
});

it("is started again after it was idle or ended, and does not wait for one that stops", async () => {
  const both = await openBoth();
  const { journal, archive } = both;
  await journal.append(mailEntries([START_MS]));
  expect(await absorbAll(both)).toBe(1);
  await archive.close();
  await journal.append(mailEntries([START_MS + HOUR_MS]));
  expect(await absorbAll(both)).toBe(1);
  const cut = expect(archive.seal(DATE, START_MS + 2 * DAY_MS)).rejects.toBeInstanceOf(Unavailable);
  await archive.close();
  await cut;
  expect((await archive.seal(DATE, START_MS + 2 * DAY_MS))?.seal.entries).toBe(2);
});

it("changes nothing while another process puts the same archive in order", async () => {
  const both = await openBoth();
  const { place, journal } = both;
  await journal.append(mailEntries([START_MS]));
  const other: Archive = await openArchive({ ...place, key: sealKeyOf(keyPem), threads: 1 });
  const [hour] = await journal.closedHours(START_MS + DAY_MS);
  if (!hour) throw new Error("no hour is closed");
  expect(await other.absorb(hour)).toBe(1);
  await expect(both.archive.seal(DATE, START_MS + 2 * DAY_MS)).rejects.toThrow("another process is putting the ledger");
  await other.close();
  expect((await both.archive.seal(DATE, START_MS + 2 * DAY_MS))?.seal.entries).toBe(1);
});
