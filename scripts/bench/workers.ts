/**
 * scripts/bench/workers: the same traffic through one worker and through two, alternating in one run; what an idle worker holds, and what
 * ten thousand idle connections hold and cost. Ratios count; absolute figures are this machine's today.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { writeHouse } from "./lib/house.ts";
import { cpuSeconds, freePort, type Running, start, untilListening } from "./lib/processes.ts";
import { median, type Result, report } from "./lib/report.ts";
import { send, startSink, type Traffic } from "./lib/traffic.ts";

const HERE = dirname(fileURLToPath(import.meta.url));
const BIN = join(HERE, "../../bin/consentry");
const ROUNDS = Number(process.env.ROUNDS ?? 5);
const MAILS = Number(process.env.MAILS ?? 8000);
const SESSIONS = Number(process.env.SESSIONS ?? 20);
const BYTES = Number(process.env.BYTES ?? 4096);
const IDLE = Number(process.env.IDLE ?? 10_000);
/** So many sessions more keep two workers busy. */
const MANY = Number(process.env.MANY ?? 100);
const TWO = Number(process.env.WORKERS ?? 2);

if (process.argv.includes("--help")) {
  console.log(
    "scripts/bench/workers   (environment: ROUNDS, MAILS a round, SESSIONS, MANY sessions, BYTES, WORKERS beside one, IDLE connections)",
  );
  process.exit(0);
}

interface Relay extends Running {
  readonly port: number;
  /** Itself and its workers. */
  pids(): number[];
}

const work = mkdtempSync(join(tmpdir(), "consentry-bench-"));
const sink = await startSink();

async function relay(workers: number): Promise<Relay> {
  const port = await freePort();
  const dir = mkdtempSync(join(work, "house-"));
  const more = [`workers: ${workers}`];
  const config = writeHouse(dir, { port, sinkPort: sink.port, limits: "idleTimeoutMs: 3600000", more });
  const running = start(BIN, ["serve", "--config", config]);
  await untilListening(port);
  await new Promise((resolve) => setTimeout(resolve, 4_000));
  const pids = (): number[] => [running.pid, ...childrenOf(running.pid)];
  return { ...running, port, pids };
}

/** The bare peer in so many processes: what doubling them gives a program that does nothing but pass on, on this machine in this hour. */
async function bare(processes: number): Promise<Relay> {
  const port = await freePort();
  const running = start(process.execPath, [
    join(HERE, "lib/bare-cluster.ts"),
    ...[port, sink.port, processes].map(String),
  ]);
  await untilListening(port);
  return { ...running, port, pids: () => [running.pid, ...childrenOf(running.pid)] };
}

/** Time of all processors so far: working, and all of it. */
function machineTime(): { busy: number; all: number } {
  const line = readFileSync("/proc/stat", "utf8").split("\n")[0] ?? "";
  const times = line.split(/ +/).slice(1, 9).map(Number);
  return { busy: sum(times) - (times[3] ?? 0) - (times[4] ?? 0), all: sum(times) };
}

const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number);

/** What a process holds, MB: pages that several share are counted in parts (PSS), or whole (RSS). */
const memoryOf = (pid: number, field: "Pss" | "Rss"): number =>
  Number(new RegExp(`^${field}:\\s+(\\d+)`, "m").exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1] ?? 0) /
  1024;
const sum = (values: readonly number[]): number => values.reduce((all, each) => all + each, 0);

interface Measured {
  readonly rate: number;
  /** s for 1,000 mails. */
  readonly cpu: number;
  /** Processors of the machine that worked, whoever for. */
  readonly cores: number;
}

async function measure({ port, pids }: Relay, how: Partial<Traffic> = {}): Promise<Measured> {
  const before = sum(pids().map(cpuSeconds));
  const machine = machineTime();
  const seconds = await send(port, {
    mails: MAILS,
    sessions: SESSIONS,
    bytes: BYTES,
    sender: "writer@stranger.example",
    recipient: "reader@example.com",
    ...how,
  });
  const now = machineTime();
  const cores = (availableParallelism() * (now.busy - machine.busy)) / (now.all - machine.all);
  return { rate: MAILS / seconds, cpu: ((sum(pids().map(cpuSeconds)) - before) / MAILS) * 1000, cores };
}

/** Holds so many connections that have said EHLO and nothing more. @returns what ends them */
async function holdIdle(port: number): Promise<() => Promise<void>> {
  const child = spawn(process.execPath, [join(HERE, "lib/idle-clients.ts"), String(port), String(IDLE)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  return async () => {
    child.kill("SIGKILL");
    await once(child, "exit");
  };
}

interface Round {
  readonly one: Measured;
  readonly two: Measured;
  /** The peer's rates. */
  readonly bareOne: number;
  readonly bareTwo: number;
}

async function inTurns(
  [one, two]: readonly [Relay, Relay],
  bares: readonly [Relay, Relay],
  sessions: number,
): Promise<Round[]> {
  const rounds: Round[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const found = {
      one: await measure(one, { sessions }),
      two: await measure(two, { sessions }),
      bareOne: (await measure(bares[0], { sessions })).rate,
      bareTwo: (await measure(bares[1], { sessions })).rate,
    };
    rounds.push(found);
    const rates = [found.one.rate, found.two.rate].map((rate) => rate.toFixed(0)).join(" and ");
    process.stderr.write(`${sessions} sessions, round ${round + 1} of ${ROUNDS}: ${rates}\n`);
  }
  return rounds;
}

/** What a second worker gives, beside what a second process gives the bare peer. */
function doubled(rounds: readonly Round[], over: string, target?: number): Result[] {
  const middle = (figure: (round: Round) => number): number => median(rounds.map(figure));
  const ratio = middle(({ one, two }) => two.rate / one.rate);
  return [
    { name: `${over}${TWO} workers / one`, value: ratio, unit: "x", ...(target !== undefined && { target }) },
    { name: `${over}the bare peer: ${TWO} processes / one`, value: middle((r) => r.bareTwo / r.bareOne), unit: "x" },
    {
      name: `${over}processors of the machine busy beside ${TWO} workers`,
      value: middle((r) => r.two.cores),
      unit: "",
    },
    { name: `${over}one worker: rate`, value: middle((r) => r.one.rate), unit: "mails/s" },
    { name: `${over}${TWO} workers: rate`, value: middle((r) => r.two.rate), unit: "mails/s" },
    { name: `${over}one worker: CPU`, value: middle((r) => r.one.cpu), unit: "s per 1,000 mails" },
    {
      name: `${over}${TWO} workers: CPU, supervisor and all`,
      value: middle((r) => r.two.cpu),
      unit: "s per 1,000 mails",
    },
  ];
}

const relays: Relay[] = [];
try {
  const [one, two] = [await relay(1), await relay(TWO)];
  relays.push(one, two);
  const idle = two.pids().slice(1);
  const idlePss = median(idle.map((pid) => memoryOf(pid, "Pss")));
  const idleRss = median(idle.map((pid) => memoryOf(pid, "Rss")));
  const supervisorPss = memoryOf(two.pid, "Pss");
  const bares = [await bare(1), await bare(TWO)] as const;
  relays.push(...bares);
  for (const each of relays) await measure(each);
  const few = await inTurns([one, two], bares, SESSIONS);
  const many = await inTurns([one, two], bares, MANY);
  const single: { one: number; two: number }[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    single.push({ one: (await measure(one, { fresh: true })).rate, two: (await measure(two, { fresh: true })).rate });
  }
  const held: { memory: number; beside: number; without: number }[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const drop = await holdIdle(two.port);
    const memory = sum(two.pids().map((pid) => memoryOf(pid, "Pss")));
    const beside = (await measure(two)).rate;
    await drop();
    held.push({ memory, beside, without: (await measure(two)).rate });
  }
  console.log(`${MAILS} mails of ${BYTES} bytes a round, ${SESSIONS} sessions, ${ROUNDS} rounds, medians`);
  report("workers", [
    ...doubled(few, "", 1.7),
    ...doubled(many, `${MANY} sessions: `),
    {
      name: `a connection for each mail: ${TWO} workers / one`,
      value: median(single.map((each) => each.two / each.one)),
      unit: "x",
    },
    { name: "a connection for each mail: one worker", value: median(single.map((each) => each.one)), unit: "mails/s" },
    { name: "an idle worker (shared pages in parts)", value: idlePss, target: 120, bound: "most", unit: "MB" },
    { name: "an idle worker (shared pages whole)", value: idleRss, unit: "MB" },
    { name: "the supervisor (shared pages in parts)", value: supervisorPss, unit: "MB" },
    {
      name: `${IDLE} idle connections: memory of all`,
      value: median(held.map(({ memory }) => memory)),
      target: 600,
      bound: "most",
      unit: "MB",
    },
    {
      name: `rate beside ${IDLE} idle connections / without`,
      value: median(held.map((each) => each.beside / each.without)),
      target: 0.9,
      unit: "x",
    },
  ]);
} finally {
  for (const each of relays) await each.stop();
  await sink.stop();
  rmSync(work, { recursive: true, force: true });
}
