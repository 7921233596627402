/** The parts of scripts/bench/all: what each measures, and which of the targets it decides. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { bareStream, type Contender, type Ground, haraka, ours, postfixProxy, postfixRspamd } from "./contenders.ts";
import { largeMails } from "./large-mails.ts";
import { latencies, percentile } from "./latency.ts";
import { newsletter } from "./newsletter.ts";
import { openLoop } from "./open-loop.ts";
import { median, type Result } from "./report.ts";
import { type Measured, measureRounds, type Pace, ratioOf } from "./rounds.ts";
import { type KeyPair, writeMail } from "./signed-mail.ts";
import type { Traffic } from "./traffic.ts";

const HERE = dirname(fileURLToPath(import.meta.url));
const run = promisify(execFile);

export const SENDER = "writer@stranger.example";
export const RECIPIENT = "reader@example.com";

export interface Bench {
  readonly ground: Ground;
  readonly key: KeyPair;
  readonly rounds: number;
  readonly seconds: number;
  /** Is told what could not be measured, and why. */
  out(why: string): void;
  /** By a name of ours, started when somebody first asks for it; absent where it cannot be here. */
  contender(which: Which): Promise<Contender | undefined>;
}

export type Which = "one" | "auto" | "stream" | "proxy" | "haraka" | "rspamd";
export const STARTS: Readonly<Record<Which, (ground: Ground) => Promise<Contender>>> = {
  one: (ground) => ours(ground, 1),
  auto: (ground) => ours(ground, "auto"),
  stream: bareStream,
  proxy: postfixProxy,
  haraka,
  rspamd: postfixRspamd,
};

export interface Outcome {
  readonly results: readonly Result[];
  /** What was measured of each contender, for the page. */
  readonly measured?: readonly Measured[];
  /** p50 and p99 over one connection, ms, by name. */
  readonly latency?: ReadonlyMap<string, readonly [number, number]>;
}

export interface Section {
  readonly name: string;
  readonly what: string;
  measure(bench: Bench): Promise<Outcome>;
}

const SESSIONS = 20;

async function some(bench: Bench, which: readonly Which[]): Promise<Map<Which, Contender>> {
  const found = new Map<Which, Contender>();
  for (const each of which) {
    const contender = await bench.contender(each);
    if (contender) found.set(each, contender);
  }
  return found;
}

async function race(bench: Bench, which: readonly Which[], traffic: Partial<Traffic>, pace: Partial<Pace> = {}) {
  const contenders = await some(bench, which);
  const all = { sender: SENDER, recipient: RECIPIENT, sessions: SESSIONS, bytes: 4096, ...traffic };
  const measured = await measureRounds([...contenders.values()], all, {
    rounds: bench.rounds,
    seconds: bench.seconds,
    mailsMin: 300,
    out: bench.out,
    ...pace,
  });
  const of = (name: Which): Measured | undefined => measured.find((each) => each.name === contenders.get(name)?.name);
  return { measured, of };
}

const ratio = (name: string, value: number, target?: number): Result => ({
  name,
  value,
  unit: "x",
  ...(target !== undefined && { target }),
});

/** Everybody, at one size: the table of the page. */
const everybody = (name: string, what: string, bytes: number): Section => ({
  name,
  what,
  async measure(bench) {
    const { measured, of } = await race(bench, ["one", "auto", "stream", "proxy", "haraka", "rspamd"], { bytes });
    const [one, auto, stream, proxy] = [of("one"), of("auto"), of("stream"), of("proxy")];
    const results: Result[] = [
      ratio(`${name}: one worker / bare smtp-server streaming`, ratioOf(one, stream), 1),
      ratio(`${name}: all cores / Postfix's before-queue proxy`, ratioOf(auto, proxy), 1),
      ratio(`${name}: all cores / Haraka`, ratioOf(auto, of("haraka")), 5),
      ratio(`${name}: all cores / Postfix + rspamd`, ratioOf(auto, of("rspamd")), 6),
      {
        ...ratio(
          `${name}: CPU of a mail, all cores / Postfix's proxy`,
          (auto?.cpu ?? Number.NaN) / (proxy?.cpu ?? Number.NaN),
          1,
        ),
        bound: "most",
      },
    ];
    return { results: results.filter(({ value }) => !Number.isNaN(value)), measured };
  },
});

const signed: Section = {
  name: "signed",
  what: "DKIM-signed mail of 4 KB, one worker, beside the bare server",
  async measure(bench) {
    const signer = { domain: "stranger.example", selector: "bench", privateKey: bench.key.privateKey };
    const mail = await writeMail(SENDER, RECIPIENT, { textBytes: 4096, signer });
    const file = join(mkdtempSync(join(bench.ground.work, "mail-")), "signed");
    // smtp-source writes line ends itself.
    writeFileSync(file, mail.toString("latin1").replace(/\r\n/g, "\n"), "latin1");
    const { measured, of } = await race(bench, ["one", "stream"], { file });
    return {
      results: [ratio("signed: one worker / bare smtp-server streaming", ratioOf(of("one"), of("stream")), 0.4)],
      measured,
    };
  },
};

const fresh: Section = {
  name: "fresh",
  what: "a connection for each mail, 20 at a time",
  async measure(bench) {
    const { measured, of } = await race(bench, ["one", "auto", "stream", "proxy"], { fresh: true });
    const best = Math.max(of("one")?.rate ?? 0, of("auto")?.rate ?? 0);
    return {
      results: [{ name: "fresh: a connection for each mail", value: best, unit: "mails/s", target: 1500 }],
      measured,
    };
  },
};

const large: Section = {
  name: "large",
  what: "what a megabyte costs in mails of 1, 10 and 49 MB, four at once, and what they hold",
  async measure(bench) {
    const one = await bench.contender("one");
    const traffic = { sender: SENDER, recipient: RECIPIENT };
    return { results: one ? await largeMails(one, traffic, bench.rounds) : [] };
  },
};

const TIMED_MAILS = 300;

const latency: Section = {
  name: "latency",
  what: "one connection, one mail after the other",
  async measure(bench) {
    const text = newsletter(SENDER, RECIPIENT);
    const found = new Map<string, readonly [number, number]>();
    const contenders = await some(bench, ["one", "auto", "stream", "proxy", "haraka", "rspamd"]);
    for (const { name, port } of contenders.values()) {
      const times = (await latencies({ port, host: "127.0.0.1" }, TIMED_MAILS + 50, text)).slice(50);
      found.set(name, [percentile(times, 0.5), percentile(times, 0.99)]);
    }
    const ownP50 = found.get(contenders.get("one")?.name ?? "")?.[0] ?? Number.NaN;
    return {
      results: [{ name: "latency: one connection, p50", value: ownP50, unit: "ms", target: 2, bound: "most" }],
      latency: found,
    };
  },
};

const half: Section = {
  name: "half",
  what: "half of what one worker can, at a fixed rate: what we add to the p99 of the sink itself",
  async measure(bench) {
    const { of } = await race(bench, ["one"], {}, { rounds: 1 });
    const one = await bench.contender("one");
    const perSecond = (of("one")?.rate ?? 0) / 2;
    const text = newsletter(SENDER, RECIPIENT);
    const load = { perSecond, mails: Math.round(perSecond * bench.seconds * 2), connections: SESSIONS, text };
    const added: number[] = [];
    // The first round after full load does not count: it finds nobody used to the pace.
    for (let round = 0; round <= bench.rounds && one; round += 1) {
      const direct = percentile(await openLoop(bench.ground.sinkPort, load), 0.99);
      const through = percentile(await openLoop(one.port, load), 0.99);
      if (round > 0) added.push(through - direct);
    }
    return {
      results: [
        { name: "half: p99 added under half load", value: median(added), unit: "ms", target: 10, bound: "most" },
        { name: "half: offered", value: perSecond, unit: "mails/s" },
      ],
    };
  },
};

const refuse: Section = {
  name: "refuse",
  what: "anonymous attempts to relay, refused, beside mails accepted",
  async measure(bench) {
    const one = await bench.contender("one");
    const [ratios, rates]: [number[], number[]] = [[], []];
    // In turns, and both warm: the first round does not count.
    for (let round = 0; round <= bench.rounds; round += 1) {
      const { of } = await race(bench, ["one"], {}, { rounds: 1 });
      const accepted = of("one")?.rate ?? Number.NaN;
      const rate = await refusals(Number(one?.port), Math.round(Math.max(2000, accepted * 4 * bench.seconds)));
      if (round === 0) continue;
      ratios.push(rate / accepted);
      rates.push(rate);
    }
    return {
      results: [
        ratio("refuse: attempts refused / mails accepted", median(ratios), 5),
        { name: "refuse: attempts refused", value: median(rates), unit: "a second" },
      ],
    };
  },
};

/** @returns attempts refused a second */
async function refusals(port: number, attempts: number): Promise<number> {
  const args = [join(HERE, "refusals.ts"), String(port), String(attempts)];
  const { stdout } = await run(process.execPath, args, { timeout: 120_000 });
  const { refused, seconds } = JSON.parse(stdout) as { refused: number; seconds: number };
  return refused / seconds;
}

const workers: Section = {
  name: "workers",
  what: "two workers beside one, idle memory, ten thousand idle connections (scripts/bench/workers)",
  async measure(bench) {
    const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", join(HERE, "../workers.ts")], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, ROUNDS: String(bench.rounds), MAILS: String(Math.round(2000 * bench.seconds)) },
    });
    let said = "";
    child.stdout.on("data", (piece: Buffer) => {
      said += piece.toString();
    });
    await once(child, "close");
    const line = said.trim().split("\n").at(-1) ?? "";
    if (!line.startsWith("{")) throw new Error("scripts/bench/workers did not end well");
    const { results } = JSON.parse(line) as {
      results: { name: string; value: number; target: number | null; unit: string; ok: boolean }[];
    };
    return {
      results: results.map(({ name, value, target, unit, ok }) => ({
        name: `workers: ${name}`,
        value,
        unit,
        ...(target !== null && {
          target,
          bound: value <= target === ok && value !== target && unit === "MB" ? ("most" as const) : ("least" as const),
        }),
      })),
    };
  },
};

export const SECTIONS: readonly Section[] = [
  everybody("4k", "mails of 4 KB over 20 kept connections, everybody", 4096),
  everybody("50k", "the same with 50 KB", 51_200),
  signed,
  fresh,
  large,
  latency,
  half,
  refuse,
  workers,
];
