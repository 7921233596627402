/**
 * What one decision about an advertisement costs: is there a yes, does it cover this, is a mail left of the number, taken at once. The rules
 * themselves decide, on a real Redis and on the embedded store, among a thousand consents and among many.
 *
 * scripts/bench/consent [--ten-million]     (needs 2 GB of memory and 4 GB of disk then; environment: CONSENTS, default 1,000,000; SECONDS a round; ROUNDS; IN_FLIGHT;
 * STORES=redis,embedded)
 */
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../src/kit/clock.ts";
import type { Store } from "../../src/kit/store.ts";
import type { HeaderView } from "../../src/mail/views.ts";
import { CONSENTS, consentKey, PROOFS, proofKey, toProofRow, toRow } from "../../src/registers/consent-rows.ts";
import { openStore } from "../../src/stores/open.ts";
import { consentOf, contextOn, decide, recipientOf, viewOf } from "./lib/advertisement.ts";
import { delayedTo } from "./lib/delay.ts";
import { cpuSeconds, freePort, program, start, untilListening } from "./lib/processes.ts";
import { median, type Result, report } from "./lib/report.ts";

const TEN_MILLION = process.argv.includes("--ten-million");
const CONSENTS_MANY = TEN_MILLION ? 10_000_000 : Number(process.env.CONSENTS ?? 1_000_000);
const SECONDS = Number(process.env.SECONDS ?? 3);
const ROUNDS = Number(process.env.ROUNDS ?? 3);
const STORES = (process.env.STORES ?? "redis,embedded").split(",");
const FEW = 1_000;
const IN_FLIGHT = Number(process.env.IN_FLIGHT ?? 512);
const RTT_MS = 500;
interface Rate {
  readonly perSecond: number;
  /** Of this process: what one core of the relay can do. */
  readonly perCoreSecond: number;
  /** Of the server, where there is one. */
  readonly server: number;
}

/** Decisions about random recipients among so many, for SECONDS. */
async function measure({ store, serverCpu }: Contender, among: number): Promise<Rate> {
  // Made before, as a door has made them when rules are asked. Of every recipient no more than the law's three would do, so they are
  // those who agreed to a number.
  const views = Array.from({ length: 50_000 }, () =>
    viewOf([recipientOf(Math.floor((Math.random() * among) / 3) * 3)]),
  );
  const context = contextOn(store);
  const until = performance.now() + SECONDS * 1000;
  const startedMs = performance.now();
  const serverBefore = serverCpu?.() ?? 0;
  const cpu = process.cpuUsage();
  let decided = 0;
  let refused = 0;
  const worker = async (): Promise<void> => {
    while (performance.now() < until) {
      const view = views[Math.floor(Math.random() * views.length)] as HeaderView;
      if (!(await decide(context, view))) refused += 1;
      decided += 1;
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  if (refused > 0) throw new Error(`${refused} of ${decided} were refused: what was measured is not what was meant`);
  const { user, system } = process.cpuUsage(cpu);
  return {
    perSecond: (decided / (performance.now() - startedMs)) * 1000,
    perCoreSecond: decided / ((user + system) / 1_000_000),
    server: decided / ((serverCpu?.() ?? 0) - serverBefore),
  };
}

const BATCH = 10_000;

/** Only the rows that decide, so that their size can be told apart. */
async function fill(store: Store, from: number, to: number): Promise<void> {
  for (let at = from; at < to; at += BATCH) {
    const consents = Array.from({ length: Math.min(BATCH, to - at) }, (_, i) => consentOf(at + i));
    const rows = consents.map((consent) => ({
      key: consentKey(consent.advertiser, consent.recipient),
      value: toRow(consent),
    }));
    await store.tables.putMany(CONSENTS, rows);
    if (at % 500_000 === 0 && at > 0) process.stderr.write(`${at.toLocaleString("en")} consents\n`);
  }
}

const PROVEN = 100_000;

async function prove(store: Store): Promise<void> {
  for (let at = 0; at < PROVEN; at += BATCH) {
    const consents = Array.from({ length: BATCH }, (_, i) => consentOf(at + i));
    await store.tables.putMany(
      PROOFS,
      consents.map((consent) => ({ key: proofKey(consent), value: toProofRow(consent.proof) })),
    );
  }
}

interface Contender {
  readonly name: string;
  readonly store: Store;
  /** Bytes that the records take now. */
  bytes(): Promise<number>;
  /** Seconds of CPU of the server, where there is one. */
  serverCpu?(): number;
  /** The same store behind a line that takes RTT_MS for a round trip. */
  farAway?(): Promise<{ store: Store; close(): Promise<void> }>;
  close(): Promise<void>;
}

const work = mkdtempSync(join(tmpdir(), "consentry-bench-"));
const optionsIn = (dataDir: string) => ({ dataDir, timeoutMs: 60_000, clock: systemClock });

async function redis(): Promise<Contender> {
  const dir = mkdtempSync(join(work, "redis-"));
  const options = optionsIn(dir);
  const port = await freePort();
  const args = ["--bind", "127.0.0.1", "--port", String(port), "--dir", dir, "--save", "", "--appendonly", "no"];
  const server = start(program("redis-server", "redis-server"), [...args, "--logfile", join(dir, "redis.log")]);
  await untilListening(port);
  const store = await openStore(`redis://127.0.0.1:${port}`, options);
  return {
    name: "redis",
    store,
    bytes: async () => usedMemory(port),
    serverCpu: () => cpuSeconds(server.pid),
    async farAway() {
      const line = await delayedTo(port, RTT_MS / 2);
      const far = await openStore(`redis://127.0.0.1:${line.port}`, options);
      return { store: far, close: () => far.close().then(line.close) };
    },
    async close() {
      await store.close();
      await server.stop();
    },
  };
}

async function usedMemory(port: number): Promise<number> {
  const { execFileSync } = await import("node:child_process");
  const info = execFileSync(program("redis-cli", "redis-tools"), ["-p", String(port), "info", "memory"]).toString();
  return (
    Number(/used_memory_dataset:(\d+)/.exec(info)?.[1]) +
      Number(/overhead\.hashtable\.main:(\d+)/.exec(info)?.[1] ?? 0) || NaN
  );
}

async function embedded(): Promise<Contender> {
  const dir = mkdtempSync(join(work, "embedded-"));
  const store = await openStore("embedded:", optionsIn(dir));
  return {
    name: "embedded",
    store,
    bytes: async () => statSync(join(dir, "store", "data.mdb")).size,
    close: () => store.close(),
  };
}

/** One mail to a thousand recipients: how long it takes, and how many times somebody waits for the other end. */
async function thousand(contender: Contender): Promise<Result[]> {
  const view = viewOf(Array.from({ length: 1_000 }, (_, index) => recipientOf(index * 3)));
  const timed = async (store: Store): Promise<number> => {
    const context = contextOn(store);
    await decide(context, view);
    const times: number[] = [];
    for (let round = 0; round < 5; round += 1) {
      const from = performance.now();
      if (!(await decide(context, view))) throw new Error("refused");
      times.push(performance.now() - from);
    }
    return Math.min(...times);
  };
  const here = await timed(contender.store);
  const results: Result[] = [{ name: `${contender.name}: one mail to 1,000 recipients`, value: here, unit: "ms" }];
  const far = await contender.farAway?.();
  if (!far) return results;
  const there = await timed(far.store);
  await far.close();
  const trips = Math.max(1, Math.round((there - here) / RTT_MS));
  return [
    ...results,
    { name: `${contender.name}: round trips for them`, value: trips, unit: "", target: 1, bound: "most" },
  ];
}

/** Beside each other: one with a thousand consents, one with many, asked in turn, since the machine may be another one a minute later. */
async function judge(open: () => Promise<Contender>): Promise<Result[]> {
  const [small, large] = [await open(), await open()];
  const { name } = large;
  try {
    await fill(small.store, 0, FEW);
    const empty = await large.bytes();
    await fill(large.store, 0, CONSENTS_MANY);
    const size = ((await large.bytes()) - empty) / CONSENTS_MANY;
    const { few, many } = await rounds(small, large);
    const unproven = await large.bytes();
    await prove(large.store);
    const proof = ((await large.bytes()) - unproven) / PROVEN;
    const count = CONSENTS_MANY.toLocaleString("en");
    const ratio = median(few.map((each, round) => each.perCoreSecond / (many[round]?.perCoreSecond ?? 0)));
    const of = (rates: readonly Rate[], what: keyof Rate): number => median(rates.map((rate) => rate[what]));
    return [
      {
        name: `${name}: decisions a core-second, 1,000 consents`,
        value: of(few, "perCoreSecond"),
        unit: "/s",
        target: 20_000,
      },
      {
        name: `${name}: decisions a core-second, ${count} consents`,
        value: of(many, "perCoreSecond"),
        unit: "/s",
        target: 20_000,
      },
      { name: `${name}: the same by the clock on the wall`, value: of(many, "perSecond"), unit: "/s" },
      ...(large.serverCpu
        ? [{ name: `${name}: the server's own, a core-second`, value: of(many, "server"), unit: "/s" }]
        : []),
      { name: `${name}: cost at ${count} / cost at 1,000`, value: ratio, unit: "x", target: 1.25, bound: "most" },
      { name: `${name}: a consent, the part that decides`, value: size, unit: "bytes", target: 200, bound: "most" },
      { name: `${name}: its proof, apart`, value: proof, unit: "bytes" },
      ...(await thousand(large)),
    ];
  } finally {
    await small.close();
    await large.close();
  }
}

async function rounds(small: Contender, large: Contender): Promise<{ few: Rate[]; many: Rate[] }> {
  const few: Rate[] = [];
  const many: Rate[] = [];
  await measure(small, FEW);
  await measure(large, CONSENTS_MANY);
  for (let round = 0; round < ROUNDS; round += 1) {
    few.push(await measure(small, FEW));
    many.push(await measure(large, CONSENTS_MANY));
    process.stderr.write(`${large.name}: round ${round + 1} of ${ROUNDS}\n`);
  }
  return { few, many };
}

try {
  const results: Result[] = [];
  for (const open of [redis, embedded]) {
    if (!STORES.includes(open.name)) continue;
    results.push(...(await judge(open)));
  }
  console.log(`${IN_FLIGHT} decisions in flight, ${ROUNDS} rounds of ${SECONDS} s, medians`);
  report("consent", results);
} finally {
  rmSync(work, { recursive: true, force: true });
}
