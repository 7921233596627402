/**
 * scripts/bench/all: ourselves and our peers, started here, in front of one sink, with the same traffic, in turns; every target in one list.
 * Peers that cannot be had are named and left out, and a target that hangs on one of them is then not met.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { startDnsServer } from "../lib/dns/server.ts";
import { pageOf } from "./lib/all-page.ts";
import { CORES, type Contender } from "./lib/contenders.ts";
import { writeBetweenMarks } from "./lib/page.ts";
import { type Result, report } from "./lib/report.ts";
import { type Bench, type Outcome, SECTIONS, STARTS, type Which } from "./lib/sections.ts";
import { makeKey } from "./lib/signed-mail.ts";
import { startSink } from "./lib/traffic.ts";

const HELP = `scripts/bench/all [--section NAME]… [--rounds N] [--seconds S] [--json FILE] [--write]

  --section NAME  only these; default: all, some 20 minutes on a quiet machine
  --rounds N      of each contender in each section (default 5)
  --seconds S     a round takes about so long (default 3)
  --json FILE     everything that was measured
  --write         the tables of docs/performance.md, and docs/performance.json beside it

${SECTIONS.map(({ name, what }) => `  ${name.padEnd(10)} ${what}`).join("\n")}`;

const { values } = parseArgs({
  options: {
    section: { type: "string", multiple: true, default: [] },
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "3" },
    json: { type: "string" },
    write: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});
const unknown = values.section.filter((name) => !SECTIONS.some((section) => section.name === name));
const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)];
if (values.help || unknown.length > 0 || !(rounds >= 1) || !(seconds > 0)) {
  console[values.help ? "log" : "error"](HELP);
  process.exit(values.help ? 0 : 2);
}

const HERE = dirname(fileURLToPath(import.meta.url));
const DOCS = join(HERE, "../../docs");
const work = mkdtempSync(join(tmpdir(), "consentry-bench-"));
// Postfix's and rspamd's daemons run as users of their own and must get in.
chmodSync(work, 0o755);
const key = makeKey();
const zone = [
  "stranger.example TXT v=spf1 ip4:127.0.0.1 -all",
  "stranger.example MX 10 client.stranger.example",
  "client.stranger.example A 127.0.0.1",
  "client.stranger.example TXT v=spf1 ip4:127.0.0.1 -all",
  "1.0.0.127.in-addr.arpa PTR client.stranger.example",
  "_dmarc.stranger.example TXT v=DMARC1; p=none",
  `bench._domainkey.stranger.example TXT ${key.record}`,
];

const running: { stop(): Promise<void> }[] = [];
const skipped: string[] = [];
const started = new Map<Which, Promise<Contender | undefined>>();
const outcomes = new Map<string, Outcome>();
const beganAt = new Date();

async function startDnsZone(): Promise<string> {
  const child = spawn(process.execPath, [join(HERE, "lib/dns-zone.ts"), "0", "3600", JSON.stringify(zone)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  running.push({
    async stop() {
      const gone = once(child, "exit");
      child.kill("SIGTERM");
      await gone;
    },
  });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  return line.toString().trim();
}

try {
  const sink = await startSink();
  const emptyDns = await startDnsServer();
  running.push(sink, emptyDns);
  const ground = { work, sinkPort: sink.port, dnsAddress: await startDnsZone(), emptyDnsPort: emptyDns.port };
  const contender = (which: Which): Promise<Contender | undefined> => {
    const known = started.get(which);
    if (known) return known;
    const starting = STARTS[which](ground).then(
      (ready) => {
        running.push(ready);
        return ready;
      },
      (error: Error) => {
        skipped.push(`${which}: ${error.message.split("\n")[0]}`);
        return undefined;
      },
    );
    started.set(which, starting);
    return starting;
  };
  const bench: Bench = { ground, key, rounds, seconds, contender, out: (why) => void skipped.push(why) };
  for (const section of SECTIONS) {
    if (values.section.length > 0 && !values.section.includes(section.name)) continue;
    process.stderr.write(`${section.name}: ${section.what}\n`);
    try {
      outcomes.set(section.name, await section.measure(bench));
    } catch (error) {
      skipped.push(`${section.name}: ${(error as Error).message.split("\n")[0]}`);
    }
  }
} finally {
  for (const each of running.toReversed()) await each.stop().catch(() => undefined);
  rmSync(work, { recursive: true, force: true });
}

const machine = `${CORES} cores (${cpus()[0]?.model.trim()}), Node ${process.version}`;
const results: Result[] = [...outcomes.values()].flatMap((outcome) => outcome.results);
const page = pageOf(outcomes, { machine, beganAt, rounds, seconds, skipped });
console.log(page);
const all = {
  machine,
  beganAt,
  rounds,
  seconds,
  skipped,
  sections: Object.fromEntries(
    [...outcomes].map(([name, { measured, latency, results: own }]) => [
      name,
      { results: own, measured, latency: latency && Object.fromEntries(latency) },
    ]),
  ),
};
if (values.json) writeFileSync(values.json, `${JSON.stringify(all, undefined, 2)}\n`);
if (values.write) {
  writeBetweenMarks(join(DOCS, "performance.md"), page);
  writeFileSync(join(DOCS, "performance.json"), `${JSON.stringify(all, undefined, 2)}\n`);
}
// What was not measured is no target met.
const missing = skipped.map((each): Result => ({ name: `not measured: ${each}`, value: 0, target: 1, unit: "" }));
report("all", [...results, ...missing]);
