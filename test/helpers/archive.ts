/** A ledger with its archive in a directory of its own, on a clock that is turned by hand. */
import { generateKeyPairSync } from "node:crypto";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { createIds } from "../../src/kit/ids.ts";
import type { Archive } from "../../src/ledger/archive.ts";
import { createClockGuard } from "../../src/ledger/clock-guard.ts";
import type { Entry } from "../../src/ledger/entry.ts";
import { createHoldRegister, type HoldRegister } from "../../src/ledger/holds.ts";
import type { Journal, Search } from "../../src/ledger/journal.ts";
import { createAnnounced, type Keeping, type Kept, keepLedger } from "../../src/ledger/keeping.ts";
import type { LedgerReader } from "../../src/ledger/query.ts";
import { createRecorder, type Recorder } from "../../src/ledger/recorder.ts";
import { type SealKey, sealKeyOf } from "../../src/ledger/seal.ts";
import { openArchive } from "../../src/stores/duckdb/archive.ts";
import { openReader } from "../../src/stores/duckdb/reader.ts";
import { openJournal } from "../../src/stores/hourlog/journal.ts";
import { createMemoryTables } from "../../src/stores/memory/tables.ts";
import { tempDir } from "./temp.ts";

export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;
export const START_MS = Date.parse("2026-11-01T00:00:00Z");

export const testKey = (): SealKey =>
  sealKeyOf(generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString());

export interface TestLedger {
  readonly root: string;
  readonly node: string;
  readonly key: SealKey;
  readonly journal: Journal;
  readonly archive: Archive;
  readonly recorder: Recorder;
  readonly holds: HoldRegister;
  readonly clock: { nowMs: number; uptimeMs: number; bootId: string };
  /** Lets time pass, for all clocks. */
  pass(ms: number): void;
  keep(other?: Partial<Keeping>): Promise<Kept>;
  confirmClock(): Promise<void>;
  reader(): Promise<LedgerReader>;
  find(search?: Search): Promise<Entry[]>;
  close(): Promise<void>;
}

export interface TestLedgerOptions {
  readonly dir?: string;
  readonly root?: string;
  readonly node?: string;
  readonly key?: SealKey;
  readonly retentionDays?: number;
  /** With it the archive is encrypted. */
  readonly archiveKey?: Uint8Array;
  /** false: whoever opened it closes it. */
  readonly closeAtEnd?: boolean;
}

const MEMORY_MB = 300;

export async function openTestLedger(options: TestLedgerOptions = {}): Promise<TestLedger> {
  const dir = options.dir ?? tempDir();
  const { root = join(dir, "ledger"), node = "relay-1", key = testKey(), retentionDays = 60 } = options;
  const clock = { nowMs: START_MS, uptimeMs: 0, bootId: "boot-1" };
  const now = { now: () => clock.nowMs };
  const journal = await openJournal(join(dir, "ledger"));
  const tempOf = join(dir, "work");
  const work = {
    tempDir: tempOf,
    memoryMb: MEMORY_MB,
    threads: 2,
    ...(options.archiveKey && { archiveKey: options.archiveKey }),
  };
  const archive = await openArchive({ root, node, key, ...work });
  const tables = createMemoryTables();
  const holds = createHoldRegister(tables, now);
  const recorder = createRecorder(journal, createIds(now, Buffer.alloc(32, 1)), now);
  const clockGuard = createClockGuard(tables, node, () => 7);
  const announced = createAnnounced(tables, node);
  let reading: Promise<LedgerReader> | undefined;
  const reader = (): Promise<LedgerReader> => {
    reading ??= openReader({ root, journal, ...work });
    return reading;
  };
  const close = async (): Promise<void> => {
    await (await reading)?.close();
    await archive.close();
    await journal.close();
  };
  if (options.closeAtEnd !== false) onTestFinished(close);
  return {
    root,
    node,
    key,
    journal,
    archive,
    recorder,
    holds,
    clock,
    reader,
    pass(ms) {
      clock.nowMs += ms;
      clock.uptimeMs += ms;
    },
    keep: (other = {}) =>
      keepLedger(
        { journal, archive, recorder, holds: holds.list, clockGuard, announced, retentionDays, ...other },
        { ...clock },
      ),
    close,
    confirmClock: () => clockGuard.confirm({ ...clock }),
    async find(search = {}) {
      const found: Entry[] = [];
      for await (const entry of (await reader()).find(search)) found.push(entry);
      return found;
    },
  };
}

/** Entries of mails that came at these times, all different. */
export function mailEntries(times: readonly number[], more: Partial<Entry> = {}): Entry[] {
  return times.map((at, index) => ({
    id: `E${String(at).padStart(15, "0")}-${index}`,
    at,
    event: "received",
    mailId: `M${at}-${index}`,
    sender: `s${index % 7}@shop.example`,
    recipient: `r${index % 5}@local.example`,
    clientIp: `192.0.2.${index % 250}`,
    verdict: "accept",
    ...more,
  }));
}
