/**
 * scripts/bench/ledger: sixty made-up days (lib/ledger-days.ts) as the archive has them: bytes, look-ups warm and cold, counts, memory; the same
 * days beside it as gzipped JSON lines and in PostgreSQL; appending; and the relay with and without its ledger, alternating in one run.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Contender } from "./lib/contenders.ts";
import { writeHouse } from "./lib/house.ts";
import { appendRate } from "./lib/ledger-append.ts";
import { buildArchive, buildJsonLines, evict, filesBelow, type Sample, samples } from "./lib/ledger-archive.ts";
import type { LookReport } from "./lib/ledger-look.ts";
import { measurePostgres, postgresBin, zgrepSeconds } from "./lib/ledger-others.ts";
import { freePort, start, untilListening } from "./lib/processes.ts";
import { median, type Result, report } from "./lib/report.ts";
import { measureRounds, ratioOf } from "./lib/rounds.ts";
import { startSink } from "./lib/traffic.ts";

const HERE = dirname(fileURLToPath(import.meta.url));
/** As bin/consentry has it. */
const NODE = ["--disable-warning=ExperimentalWarning"];
const DAYS = Number(process.env.DAYS ?? 60);
const PER_DAY = process.argv.includes("--million") ? 1_000_000 : Number(process.env.PER_DAY ?? 200_000);
const SAMPLES = Number(process.env.SAMPLES ?? 15);
const PG_DAYS = Math.min(DAYS, Number(process.env.PG_DAYS ?? 10));
const ROUNDS = Number(process.env.ROUNDS ?? 8);
const ROUND_S = Number(process.env.ROUND_S ?? 3);
const PARTS = (process.env.PARTS ?? "archive,zgrep,postgres,append,relay").split(",");

if (process.argv.includes("--help")) {
  console.log(`scripts/bench/ledger [--million]
  environment: DAYS, PER_DAY (--million: 1,000,000), SAMPLES of look-ups, PG_DAYS loaded into PostgreSQL, ROUNDS of the relay and ROUND_S, how long one takes,
  PARTS of archive,zgrep,postgres,append,relay; KEEP: a directory whose archive is used, completed and kept`);
  process.exit(0);
}

const work = mkdtempSync(join(tmpdir(), "consentry-bench-"));
const root = process.env.KEEP ?? join(work, "archive");
const results: Result[] = [];
const skip = (what: string, why: string): void => console.log(`  skipped: ${what}: ${why}`);
const days = { days: DAYS, perDay: PER_DAY };

function look(how: "warm" | "cold" | "count" | "scan", some: readonly Sample[]): LookReport {
  const args = [join(HERE, "lib/ledger-look.ts"), root, join(work, "look"), how, JSON.stringify(some)];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" })) as LookReport;
}

function measureArchive(): void {
  const total = DAYS * PER_DAY;
  const files = filesBelow(root).filter(({ path }) => path.includes("date="));
  const bytes = (ending: string): number =>
    files.filter(({ path }) => path.endsWith(ending)).reduce((sum, each) => sum + each.bytes, 0) / total;
  results.push(
    { name: "bytes an entry, with index and seals", value: bytes(""), target: 40, bound: "most", unit: "bytes" },
    { name: "  Parquet", value: bytes(".parquet"), unit: "bytes" },
    { name: "  index", value: bytes(".index"), unit: "bytes" },
    { name: "  hashes of entries", value: bytes(".rows"), unit: "bytes" },
  );
  const some = samples(PER_DAY, SAMPLES);
  const warm = look("warm", some);
  let peakMb = warm.peakMb;
  for (const kind of ["recipient", "sender", "ip"] as const) {
    const looked = warm.looked.filter((each) => each.kind === kind);
    const hits = median(looked.map(({ found }) => found));
    const value = median(looked.map(({ ms }) => ms));
    results.push({ name: `one ${kind} (${hits} entries), warm`, value, target: 60, bound: "most", unit: "ms" });
    const cpuMs = median(looked.map((each) => each.cpuMs));
    results.push({ name: "  processor time of it, all threads", value: cpuMs, unit: "ms" });
    const one = some.filter((each) => each.kind === kind).slice(0, 5);
    const processes: number[] = [];
    const colds = one.map((sample) => {
      evict(root);
      const began = performance.now();
      const ms = look("cold", [sample]).looked[0]?.ms ?? 0;
      processes.push(performance.now() - began);
      return ms;
    });
    results.push({ name: `one ${kind}, cold`, value: median(colds), target: 300, bound: "most", unit: "ms" });
    results.push({ name: "  with all of its new process", value: median(processes), unit: "ms" });
  }
  const counted = look("count", []);
  peakMb = Math.max(peakMb, counted.peakMb);
  const countMs = median(counted.looked.map(({ ms }) => ms));
  results.push({ name: "counts by day and verdict", value: countMs, target: 100, bound: "most", unit: "ms" });
  const scanned = look("scan", []);
  results.push({ name: "a domain, by a scan of all days", value: scanned.looked[0]?.ms ?? 0, unit: "ms" });
  results.push({
    name: "memory of a process that scans",
    value: scanned.peakMb,
    target: 512,
    bound: "most",
    unit: "MB",
  });
  results.push({ name: "memory of a process that looks up", value: peakMb, target: 512, bound: "most", unit: "MB" });
}

async function measureZgrep(): Promise<void> {
  const dir = join(work, "jsonl");
  await buildJsonLines(dir, days);
  const bytes = filesBelow(dir).reduce((sum, each) => sum + each.bytes, 0) / (DAYS * PER_DAY);
  const sample = samples(PER_DAY, SAMPLES).find(({ kind }) => kind === "recipient");
  if (!sample) return;
  zgrepSeconds(dir, sample.value);
  const seconds = median([1, 2, 3].map(() => zgrepSeconds(dir, sample.value)));
  const [looked] = look("warm", [sample]).looked;
  const ratio = (seconds * 1000) / (looked?.ms ?? Number.POSITIVE_INFINITY);
  results.push(
    { name: "gzipped JSON lines: bytes an entry", value: bytes, unit: "bytes" },
    { name: "zgrep on all cores, one recipient", value: seconds, unit: "s" },
    { name: "how much faster than zgrep", value: ratio, target: 100, unit: "x" },
  );
  rmSync(dir, { recursive: true, force: true });
}

async function measureBesidePostgres(): Promise<void> {
  const bin = postgresBin();
  if (!bin) return skip("PostgreSQL", "it is not installed (apt-get install postgresql)");
  const recipient = samples(PER_DAY, 1).find(({ kind }) => kind === "recipient")?.value ?? "";
  const dir = mkdtempSync(join(tmpdir(), "consentry-postgres-"));
  const measured = await measurePostgres(bin, dir, { days: PG_DAYS, perDay: PER_DAY, recipient });
  const ours = results.find(({ name }) => name.startsWith("bytes an entry"))?.value;
  results.push(
    { name: `PostgreSQL (${PG_DAYS} days): bytes an entry`, value: measured.bytesPerEntry, unit: "bytes" },
    { name: `PostgreSQL (${PG_DAYS} days): one recipient, warm`, value: measured.lookUpMs, unit: "ms" },
    { name: `PostgreSQL (${PG_DAYS} days): counts`, value: measured.countMs, unit: "ms" },
  );
  if (ours === undefined) return;
  results.push({
    name: "bytes, as a part of PostgreSQL's",
    value: ours / measured.bytesPerEntry,
    target: 0.2,
    bound: "most",
    unit: "x",
  });
}

async function measureAppend(): Promise<void> {
  for (const concurrent of [1, 20, 200]) {
    const rate = await appendRate(join(work, `append-${concurrent}`), concurrent);
    results.push({ name: `appending, ${concurrent} mails at once`, value: rate, unit: "entries/s" });
  }
}

async function relay(kind: "with" | "without", sinkPort: number): Promise<Contender> {
  const port = await freePort();
  const dir = mkdtempSync(join(work, `${kind}-`));
  const config = writeHouse(dir, { port, sinkPort });
  const running = start(process.execPath, [...NODE, join(HERE, "lib/ledger-relay.ts"), config, kind]);
  await untilListening(port);
  return { name: kind, port, pids: [running.pid], stop: running.stop };
}

async function measureRelay(): Promise<void> {
  const sink = await startSink();
  const both = [await relay("with", sink.port), await relay("without", sink.port)];
  const traffic = { sessions: 20, bytes: 4096, sender: "writer@stranger.example", recipient: "reader@example.com" };
  try {
    const pace = { rounds: ROUNDS, seconds: ROUND_S, mailsMin: 1000 };
    const out = (why: string): void => skip("a relay", why);
    const [kept, without] = await measureRounds(both, traffic, { ...pace, out });
    if (!kept || !without) return;
    results.push(
      { name: "relay with the ledger / without", value: ratioOf(kept, without), target: 0.9, unit: "x" },
      { name: "relay with the ledger", value: kept.rate, unit: "mails/s" },
      { name: "relay without", value: without.rate, unit: "mails/s" },
      { name: "processor time, 1,000 mails, with the ledger", value: kept.cpu, unit: "s" },
      { name: "processor time, 1,000 mails, without", value: without.cpu, unit: "s" },
    );
  } finally {
    for (const each of [...both, sink]) await each.stop();
  }
}

try {
  console.log(`${DAYS} days of ${PER_DAY} entries; medians`);
  if (PARTS.includes("archive") || PARTS.includes("zgrep")) await buildArchive(root, days);
  if (PARTS.includes("archive")) measureArchive();
  if (PARTS.includes("zgrep")) await measureZgrep();
  if (PARTS.includes("postgres")) await measureBesidePostgres();
  if (PARTS.includes("append")) await measureAppend();
  if (PARTS.includes("relay")) {
    if (existsSync("/usr/sbin/smtp-source")) await measureRelay();
    else skip("the relay", "smtp-source is missing (apt-get install postfix)");
  }
  report("ledger", results);
} finally {
  rmSync(work, { recursive: true, force: true });
}
