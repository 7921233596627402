/**
 * scripts/bench/queue: smtp-source -> consentry's queue -> smtp-sink, durable before the 250, beside Postfix (as shipped, and tuned) and
 * Haraka, alternating in one run on one disk; then consentry alone with a million mails that wait, and with a dead destination.
 * Ratios count; absolute figures are this machine's today.
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { startChaos } from "../../test/helpers/chaos-hop.ts";
import { treeMemoryMb, treeSeconds } from "./lib/process-tree.ts";
import { freePort, MissingProgram } from "./lib/processes.ts";
import { type Queuer, serveIn, startConsentry, startHaraka, startPostfixQueue } from "./lib/queue-contenders.ts";
import { median, type Result, report } from "./lib/report.ts";
import { send, startSink } from "./lib/traffic.ts";

const HERE = dirname(fileURLToPath(import.meta.url));
const CLI = join(HERE, "../../src/commands/index.ts");
const ROUNDS = Number(process.env.ROUNDS ?? 3);
const MAILS = Number(process.env.MAILS ?? 3000);
const WAITING = Number(process.env.WAITING ?? 1_000_000);
const DEAD = Number(process.env.DEAD ?? 100_000);
/** Mails of 4 KB, and a quarter as many of 50 KB, before anything is measured: until then every Node program is faster from mail to mail. */
const WARM_MAILS = Number(process.env.WARM ?? 10_000);
const DRAIN_MS_MAX = 300_000;

if (process.argv.includes("--help")) {
  console.log(
    "scripts/bench/queue   (environment: ROUNDS, MAILS a round of 4 KB, WARM, WAITING, DEAD, HARAKA_DIR, ONLY=peers|waiting|dead)",
  );
  process.exit(0);
}

const CASES = [
  { name: "4 KB, 20 sessions", bytes: 4_096, sessions: 20, mails: MAILS },
  { name: "4 KB, 100 sessions", bytes: 4_096, sessions: 100, mails: MAILS },
  { name: "50 KB, 20 sessions", bytes: 51_200, sessions: 20, mails: Math.ceil(MAILS / 2) },
  { name: "50 KB, 100 sessions", bytes: 51_200, sessions: 100, mails: Math.ceil(MAILS / 2) },
];
type Case = (typeof CASES)[number];

interface Round {
  readonly accepted: number;
  readonly endToEnd: number;
  readonly cpu: number;
}

const work = mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), "consentry-bench-"));
const sink = await startSink();
const site = { work, sinkPort: sink.port };
const stops: (() => Promise<void>)[] = [];
const skipped: string[] = [];
const results: Result[] = [];
const people = { sender: "writer@stranger.example", recipient: "reader@example.com" };

async function kept<T extends Queuer>(opening: Promise<T>): Promise<T> {
  const queuer = await opening;
  stops.push(() => queuer.stop());
  return queuer;
}

async function measure(queuer: Queuer, { bytes, sessions, mails }: Omit<Case, "name">): Promise<Round> {
  const cpu = treeSeconds(queuer.pid);
  const began = performance.now();
  const seconds = await send(queuer.port, { ...people, bytes, sessions, mails }).catch((error: unknown) => {
    throw new Error(`${queuer.name} does not take mail`, { cause: error });
  });
  await drained(queuer);
  const total = (performance.now() - began) / 1000;
  return {
    accepted: mails / seconds,
    endToEnd: mails / total,
    cpu: ((treeSeconds(queuer.pid) - cpu) / mails) * 1000,
  };
}

/** Half a round first that does not count, for everybody: while the others had their turn, programs let go of compiled code and memory. */
async function afterLull(queuer: Queuer, load: Case): Promise<Round> {
  await measure(queuer, { ...load, mails: Math.ceil(load.mails / 2) });
  return measure(queuer, load);
}

async function drained(queuer: Queuer): Promise<void> {
  const endMs = performance.now() + DRAIN_MS_MAX;
  while (!(await queuer.isEmpty())) {
    if (performance.now() > endMs) throw new Error(`${queuer.name}: the queue does not empty`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function besidePeers(): Promise<void> {
  const queuers: Queuer[] = [
    await kept(startConsentry(site, "consentry")),
    await kept(startPostfixQueue(site, "Postfix as shipped", [])),
    await kept(
      startPostfixQueue(site, "Postfix tuned", [
        "in_flow_delay = 0",
        "smtp_destination_concurrency_limit = 100",
        "default_process_limit = 200",
      ]),
    ),
  ];
  try {
    queuers.push(await kept(startHaraka(site)));
  } catch (error) {
    if (!(error instanceof MissingProgram)) throw error;
    skipped.push(error.message);
  }
  // One process takes in as it comes; Haraka has one for each processor, and so may we.
  queuers.push(await kept(startConsentry(site, MANY, ["workers: auto"])));
  for (const queuer of queuers) {
    await measure(queuer, { bytes: 4_096, sessions: 20, mails: WARM_MAILS });
    await measure(queuer, { bytes: 51_200, sessions: 20, mails: Math.ceil(WARM_MAILS / 4) });
  }
  for (const each of CASES) {
    const rounds = new Map(queuers.map((queuer) => [queuer, [] as Round[]]));
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const queuer of round % 2 === 0 ? queuers : queuers.toReversed()) {
        rounds.get(queuer)?.push(await afterLull(queuer, each));
      }
      const accepted = queuers.map((queuer) => rounds.get(queuer)?.at(-1)?.accepted.toFixed(0));
      process.stderr.write(`${each.name}: round ${round + 1} of ${ROUNDS}: ${accepted.join(", ")} accepted a second\n`);
    }
    compare(each, queuers, rounds);
  }
}

const MANY = "consentry, workers: auto";

function compare({ name }: Case, queuers: readonly Queuer[], rounds: ReadonlyMap<Queuer, Round[]>): void {
  const [ours, shipped, tuned] = queuers;
  const haraka = queuers.find((queuer) => queuer.name.startsWith("Haraka"));
  const of = (queuer: Queuer | undefined, what: keyof Round): number =>
    queuer ? median((rounds.get(queuer) ?? []).map((each) => each[what])) : Number.NaN;
  const ratio = (peer: Queuer | undefined, what: keyof Round): number => of(ours, what) / of(peer, what);
  results.push(
    { name: `${name}: accept / Postfix as shipped`, value: ratio(shipped, "accepted"), target: 3, unit: "x" },
    { name: `${name}: accept / Postfix tuned`, value: ratio(tuned, "accepted"), target: 2, unit: "x" },
    ...(haraka ? [{ name: `${name}: accept / Haraka`, value: ratio(haraka, "accepted"), target: 3, unit: "x" }] : []),
    { name: `${name}: end to end / Postfix as shipped`, value: ratio(shipped, "endToEnd"), target: 2, unit: "x" },
    {
      name: `${name}: CPU / Postfix as shipped`,
      value: ratio(shipped, "cpu"),
      target: 0.334,
      bound: "most",
      unit: "x",
    },
    ...queuers.flatMap((queuer): Result[] => [
      { name: `${name}: ${queuer.name}: accepted`, value: of(queuer, "accepted"), unit: "mails/s" },
      { name: `${name}: ${queuer.name}: end to end`, value: of(queuer, "endToEnd"), unit: "mails/s" },
      { name: `${name}: ${queuer.name}: CPU`, value: of(queuer, "cpu"), unit: "s per 1,000 mails" },
    ]),
  );
}

function load(dir: string, what: { count: number; bytes: number; destination: string; nextAt: number }): void {
  const args = [join(dir, "var/spool"), what.count, what.bytes, what.destination, what.nextAt].map(String);
  const flags = ["--disable-warning=ExperimentalWarning", join(HERE, "lib/queue-load.ts")];
  process.stderr.write(execFileSync(process.execPath, [...flags, ...args]));
}

const ORDINARY = { bytes: 4_096, sessions: 20, mails: MAILS };

/** Rates of two houses in turn. @returns the second's over the first's, median of the rounds */
async function inTurn(first: Queuer, second: Queuer, what: keyof Round, run = measure): Promise<number> {
  const ratios: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const pair = round % 2 === 0 ? [first, second] : [second, first];
    const rates = new Map<Queuer, number>();
    for (const queuer of pair) rates.set(queuer, (await run(queuer, ORDINARY))[what]);
    ratios.push((rates.get(second) ?? 0) / (rates.get(first) ?? 1));
  }
  return median(ratios);
}

async function withMillionWaiting(): Promise<void> {
  const empty = await kept(startConsentry(site, "empty"));
  const dir = mkdtempSync(join(work, "waiting-"));
  const later = Date.now() + 3 * 86_400_000;
  load(dir, { count: WAITING, bytes: 1_500, destination: `smtp://127.0.0.1:${sink.port}`, nextAt: later });
  const began = performance.now();
  const full = await kept(serveIn(dir, { port: await freePort(), sinkPort: sink.port }));
  const startSeconds = (performance.now() - began) / 1000;
  const listed = await listTimes(dir);
  // Nothing of the queue empties here: the rate of accepting is what is compared.
  const accepting = async (queuer: Queuer): Promise<Round> => {
    const seconds = await send(queuer.port, { ...people, ...ORDINARY });
    return { accepted: ORDINARY.mails / seconds, endToEnd: 0, cpu: 0 };
  };
  for (const queuer of [empty, full]) await send(queuer.port, { ...people, ...ORDINARY, mails: WARM_MAILS });
  const ratio = await inTurn(empty, full, "accepted", accepting);
  const memory = treeMemoryMb(full.pid);
  const what = `${WAITING.toLocaleString("en")} waiting`;
  results.push(
    { name: `${what}: memory of all processes`, value: memory.all, target: 500, bound: "most", unit: "MB" },
    { name: `${what}: of it not shared with the disk's cache`, value: memory.own, unit: "MB" },
    { name: `${what}: start-up`, value: startSeconds, target: 30, bound: "most", unit: "s" },
    { name: `${what}: queue list, first line`, value: listed.first, unit: "s" },
    { name: `${what}: queue list, lines a second`, value: listed.rate, unit: "lines/s" },
    { name: `${what}: accept / empty`, value: ratio, target: 0.8, unit: "x" },
  );
  await full.stop();
}

async function listTimes(dir: string): Promise<{ first: number; rate: number }> {
  const began = performance.now();
  const args = ["--disable-warning=ExperimentalWarning", CLI, "queue", "list", "--config", join(dir, "consentry.yaml")];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  let lines = 0;
  let first = 0;
  const ended = once(child, "exit");
  for await (const _ of createInterface({ input: child.stdout })) {
    lines += 1;
    if (lines === 1) first = (performance.now() - began) / 1000;
  }
  await ended;
  return { first, rate: lines / ((performance.now() - began) / 1000 - first) };
}

async function withDeadDestination(): Promise<void> {
  const away = await freePort();
  const routes = [`routes: [{ domains: [dead.example], to: "smtp://127.0.0.1:${away}" }]`];
  // One that counts what it takes: a queue that never empties says nothing of when the others' mail is through.
  const counting = await startChaos(0);
  stops.push(() => counting.stop());
  const calm = await kept(startConsentry({ work, sinkPort: counting.port }, "calm", routes));
  const dir = mkdtempSync(join(work, "dead-"));
  load(dir, { count: DEAD, bytes: 1_500, destination: `smtp://127.0.0.1:${away}`, nextAt: 0 });
  const beside = await kept(serveIn(dir, { port: await freePort(), sinkPort: counting.port, more: routes }));
  const sunk = () => counting.taken.length;
  const delivering = async (queuer: Queuer, load: typeof ORDINARY): Promise<Round> => {
    const began = performance.now();
    const before = sunk();
    await send(queuer.port, { ...people, ...load });
    const endMs = performance.now() + DRAIN_MS_MAX;
    while (sunk() - before < load.mails && performance.now() < endMs)
      await new Promise((resolve) => setTimeout(resolve, 20));
    return { accepted: 0, endToEnd: load.mails / ((performance.now() - began) / 1000), cpu: 0 };
  };
  for (const queuer of [calm, beside]) await delivering(queuer, { ...ORDINARY, mails: WARM_MAILS });
  const ratio = await inTurn(calm, beside, "endToEnd", delivering);
  const what = `${DEAD.toLocaleString("en")} for a dead destination`;
  results.push({ name: `${what}: the others, end to end / without`, value: ratio, target: 0.95, unit: "x" });
}

try {
  const only = process.env.ONLY;
  if (!only || only === "peers") await besidePeers();
  if (!only || only === "waiting") await withMillionWaiting();
  if (!only || only === "dead") await withDeadDestination();
  console.log(`${MAILS} mails of 4 KB and ${Math.ceil(MAILS / 2)} of 50 KB a round, ${ROUNDS} rounds, medians`);
  report("queue", results, skipped);
} finally {
  for (const stop of stops.reverse()) await stop().catch(() => undefined);
  await sink.stop();
  rmSync(work, { recursive: true, force: true });
}
