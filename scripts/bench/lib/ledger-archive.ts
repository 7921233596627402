/** Sixty made-up days as an archive, and the same entries as gzipped JSON lines, one file a day. */
import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { createWriteStream, existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import type { Entry } from "../../../src/ledger/entry.ts";
import { sealKeyOf } from "../../../src/ledger/seal.ts";
import { openArchive } from "../../../src/stores/duckdb/archive.ts";
import { DAY_MS, entriesOf, FIRST_DAY_MS } from "./ledger-days.ts";

export interface Days {
  readonly days: number;
  readonly perDay: number;
}

const HOUR_MS = 3_600_000;
/** On all processors; the archivist has one thread and `ledger.memoryMb`, where the same sort keeps less in hand at a time. */
const MEMORY_MB = 1_024;
export const dateOf = (day: number): string => new Date(FIRST_DAY_MS + day * DAY_MS).toISOString().slice(0, 10);

function* hourOf(entries: readonly Entry[], fromMs: number): Generator<Entry> {
  for (const entry of entries) if (entry.at >= fromMs && entry.at < fromMs + HOUR_MS) yield entry;
}

/** Days that are there already stay. */
export async function buildArchive(root: string, { days, perDay }: Days): Promise<void> {
  mkdirSync(root, { recursive: true });
  const pem = generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const tempDir = `${root}-work`;
  const key = sealKeyOf(pem);
  const archive = await openArchive({
    root,
    node: "relay-1",
    key,
    tempDir,
    memoryMb: MEMORY_MB,
    threads: availableParallelism(),
    graceMs: 0,
  });
  for (let day = 0; day < days; day += 1) {
    if (existsSync(join(root, `date=${dateOf(day)}`, "node=relay-1", "day.seal"))) continue;
    const entries = [...entriesOf(day, perDay)];
    for (let hour = 0; hour < 24; hour += 1) {
      const fromMs = FIRST_DAY_MS + day * DAY_MS + hour * HOUR_MS;
      const name = new Date(fromMs).toISOString().slice(0, 13);
      const read = async function* (): AsyncGenerator<Entry> {
        yield* hourOf(entries, fromMs);
      };
      await archive.absorb({ hour: name, taken: new Map([[`${name}.bench.jsonl`, 1]]), read });
    }
    await archive.seal(dateOf(day), FIRST_DAY_MS + (day + 2) * DAY_MS);
    await archive.tidy();
    process.stderr.write(`day ${day + 1} of ${days} archived\n`);
  }
  await archive.close();
}

export async function buildJsonLines(dir: string, { days, perDay }: Days): Promise<void> {
  mkdirSync(dir, { recursive: true });
  for (let day = 0; day < days; day += 1) {
    const path = join(dir, `${dateOf(day)}.jsonl.gz`);
    if (existsSync(path)) continue;
    const lines = Readable.from(linesOf(day, perDay));
    await pipeline(lines, createGzip({ level: 6 }), createWriteStream(path));
  }
}

function* linesOf(day: number, perDay: number): Generator<string> {
  let held = "";
  for (const entry of entriesOf(day, perDay)) {
    held += `${JSON.stringify(entry)}\n`;
    if (held.length < 1_000_000) continue;
    yield held;
    held = "";
  }
  yield held;
}

/** Every file below, with its size. */
export function filesBelow(dir: string): { path: string; bytes: number }[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true }).flatMap((each) => {
    if (!each.isFile()) return [];
    const path = join(each.parentPath, each.name);
    return [{ path, bytes: statSync(path).size }];
  });
}

/** Takes these files out of the page cache. */
export function evict(dir: string): void {
  for (const { path } of filesBelow(dir)) {
    execFileSync("dd", [`if=${path}`, "iflag=nocache", "count=0"], { stdio: "ignore" });
  }
}

export interface Sample {
  readonly kind: "recipient" | "sender" | "ip";
  readonly value: string;
}

/** So many of each kind, as they come in one day: who has more mail is picked more often. */
export function samples(perDay: number, count: number): Sample[] {
  const step = Math.floor(perDay / (count * 3 + 7));
  const seen = new Set<string>();
  const found: Sample[] = [];
  let place = 0;
  for (const entry of entriesOf(3, perDay)) {
    place += 1;
    if (place % step !== 0) continue;
    const values = { recipient: entry.recipient, sender: entry.sender, ip: entry.clientIp } as const;
    for (const kind of ["recipient", "sender", "ip"] as const) {
      const value = values[kind];
      const enough = found.filter((each) => each.kind === kind).length >= count;
      if (!value || enough || seen.has(`${kind} ${value}`)) continue;
      seen.add(`${kind} ${value}`);
      found.push({ kind, value });
    }
  }
  return found;
}
