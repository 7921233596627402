/**
 * scripts/bench/relay: smtp-source -> consentry (every rule enforcing, embedded store, ledger durable) -> smtp-sink, beside bare
 * smtp-server + nodemailer with no rules, alternating in one run. Ratios count; absolute figures are this machine's today.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { writeHouse } from "./lib/house.ts";
import { cpuSeconds, freePort, peakMemoryMb, start, untilListening } from "./lib/processes.ts";
import { median, report } from "./lib/report.ts";
import { send, startSink, type Traffic } from "./lib/traffic.ts";

const HERE = dirname(fileURLToPath(import.meta.url));
const CLI = join(HERE, "../../src/commands/index.ts");
const ROUNDS = Number(process.env.ROUNDS ?? 5);
const MAILS = Number(process.env.MAILS ?? 8000);
const SESSIONS = Number(process.env.SESSIONS ?? 20);
const BYTES = Number(process.env.BYTES ?? 4096);
/** Mails before anything is measured, for everybody: until then V8 still compiles. */
const WARM_UP = 6_000;

if (process.argv.includes("--help")) {
  console.log("scripts/bench/relay   (environment: ROUNDS, MAILS a round, SESSIONS, BYTES of payload)");
  process.exit(0);
}

const ordinary: Traffic = {
  mails: MAILS,
  sessions: SESSIONS,
  bytes: BYTES,
  sender: "writer@stranger.example",
  recipient: "reader@example.com",
};
const advertising: Traffic = {
  ...ordinary,
  sender: "news@shop.example",
  recipient: "reader@example.com",
  subject: "AD sale",
};

interface Contender {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
  readonly traffic: Traffic;
  stop(): Promise<void>;
}

interface Round {
  readonly rate: number;
  readonly cpuPerThousand: number;
}

const work = mkdtempSync(join(tmpdir(), "consentry-bench-"));
const sink = await startSink();

async function bare(style: "stream" | "pool"): Promise<Contender> {
  const port = await freePort();
  const running = start(process.execPath, [join(HERE, "lib/bare-relay.ts"), String(port), style, String(sink.port)]);
  await untilListening(port);
  return { ...running, name: `bare-${style}`, port, traffic: ordinary };
}

async function consentry(name: string, traffic: Traffic): Promise<Contender> {
  const port = await freePort();
  const dir = mkdtempSync(join(work, "house-"));
  const config = writeHouse(dir, { port, sinkPort: sink.port });
  if (traffic === advertising) {
    const run = (...args: string[]) => execFileSync(process.execPath, [CLI, ...args, "--config", config]);
    run("client", "add", "shop", "--kind", "advertiser", "--network", "127.0.0.1", "--domain", "shop.example");
    run("consent", "grant", advertising.recipient, "--advertiser", "shop", "--how", "paper", "--limit", "900000/24h");
  }
  const running = start(process.execPath, [CLI, "serve", "--config", config]);
  await untilListening(port);
  return { ...running, name, port, traffic };
}

async function measure(contender: Contender, mails = MAILS): Promise<Round> {
  const cpu = cpuSeconds(contender.pid);
  const seconds = await send(contender.port, { ...contender.traffic, mails });
  return { rate: mails / seconds, cpuPerThousand: ((cpuSeconds(contender.pid) - cpu) / mails) * 1000 };
}

const contenders: Contender[] = [];

/** Warms them up and measures them in turns. */
async function alternate(rounds: Map<Contender, Round[]>, these: readonly Contender[]): Promise<void> {
  contenders.push(...these);
  for (const contender of these) await measure(contender, Math.min(MAILS, WARM_UP));
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const contender of these) {
      rounds.set(contender, [...(rounds.get(contender) ?? []), await measure(contender)]);
    }
    process.stderr.write(`${these.map(({ name }) => name).join(", ")}: round ${round + 1} of ${ROUNDS}\n`);
  }
}

try {
  const rounds = new Map<Contender, Round[]>();
  // Two at a time: who lies idle while others are measured has to find its caches and its heap again.
  await alternate(rounds, [await bare("stream"), await consentry("consentry", ordinary)]);
  await alternate(rounds, [
    await bare("pool"),
    ...(process.env.QUICK ? [] : [await consentry("consentry-advertiser", advertising)]),
  ]);
  const rate = (index: number) => median((rounds.get(contenders[index] as Contender) ?? []).map((each) => each.rate));
  console.log(`${MAILS} mails of ${BYTES} bytes a round, ${SESSIONS} sessions, ${ROUNDS} rounds, medians`);
  report("relay", [
    { name: "consentry / bare smtp-server + nodemailer (stream)", value: rate(1) / rate(0), target: 0.8, unit: "x" },
    { name: "consentry / bare smtp-server + nodemailer (pool)", value: rate(1) / rate(2), unit: "x" },
    { name: "consentry with consent look-ups / bare (stream)", value: rate(3) / rate(0), unit: "x" },
    ...contenders.flatMap((contender, index) => [
      { name: `${contender.name}: rate`, value: rate(index), unit: "mails/s" },
      {
        name: `${contender.name}: CPU`,
        value: median((rounds.get(contender) ?? []).map((each) => each.cpuPerThousand)),
        unit: "s per 1,000 mails",
      },
      { name: `${contender.name}: peak memory`, value: peakMemoryMb(contender.pid), unit: "MB" },
    ]),
  ]);
} finally {
  for (const contender of contenders) await contender.stop();
  await sink.stop();
  rmSync(work, { recursive: true, force: true });
}
