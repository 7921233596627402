/**
 * scripts/flame: one worker under the load of scripts/bench, warm, with V8's profiler; where its time goes as flame graphs, docs/flames/NAME.svg.
 * A profiler slows what it looks at down, small functions most: parts of a whole count here, not rates.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { writeHouse } from "../../bench/lib/house.ts";
import { freePort, start, untilListening } from "../../bench/lib/processes.ts";
import { send, startSink, type Traffic } from "../../bench/lib/traffic.ts";
import { type CpuProfile, stacksOf } from "./stacks.ts";
import { drawFlames } from "./svg.ts";

const HOUSE = join(import.meta.dirname, "../../..");
const KEPT = { sessions: 20, bytes: 4096, sender: "writer@stranger.example", recipient: "reader@example.com" };

/** What is sent; half as many mails before it warm it up. */
const LOADS: Readonly<Record<string, Traffic & { readonly says: string }>> = {
  "4k": { ...KEPT, mails: 20_000, says: "mails of 4 KB over 20 kept connections" },
  "50k": { ...KEPT, mails: 8_000, bytes: 51_200, says: "mails of 50 KB over 20 kept connections" },
  fresh: { ...KEPT, mails: 8_000, fresh: true, says: "mails of 4 KB, a connection for each, 20 at a time" },
};

const HELP = `scripts/flame [--load NAME]… [--to DIR]

  --load NAME   ${Object.keys(LOADS).join(", ")}; default: all of them
  --to DIR      where the pictures go; default: docs/flames`;

const { values } = parseArgs({
  options: {
    load: { type: "string", multiple: true, default: Object.keys(LOADS) },
    to: { type: "string", default: join(HOUSE, "docs/flames") },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  console.log(HELP);
  process.exit(0);
}
const unknown = values.load.filter((name) => !(name in LOADS));
if (unknown.length > 0) {
  console.error(`no load is called ${unknown.join(", ")}\n${HELP}`);
  process.exit(2);
}
mkdirSync(values.to, { recursive: true });
const rooms = readdirSync(join(HOUSE, "src"));
for (const [name, { says, ...traffic }] of Object.entries(LOADS)) {
  if (!values.load.includes(name)) continue;
  const { profile, from } = await profileOf(traffic);
  const path = join(values.to, `${name}.svg`);
  writeFileSync(path, drawFlames(stacksOf(profile, from), { title: `consentry, one worker: ${says}`, rooms }));
  console.log(path);
}

/** @returns the profile, and when it was warm */
async function profileOf(traffic: Traffic): Promise<{ profile: CpuProfile; from: number }> {
  const dir = mkdtempSync(join(tmpdir(), "consentry-flame-"));
  const sink = await startSink();
  try {
    const port = await freePort();
    const config = writeHouse(dir, { port, sinkPort: sink.port });
    const prof = ["--cpu-prof", "--cpu-prof-interval=200", `--cpu-prof-dir=${join(dir, "prof")}`];
    const served = ["--disable-warning=ExperimentalWarning", join(HOUSE, "src/commands/index.ts"), "serve"];
    const running = start(process.execPath, [...prof, ...served, "--config", config]);
    await untilListening(port);
    await send(port, { ...traffic, mails: traffic.mails / 2 });
    const from = Number(process.hrtime.bigint() / 1_000n);
    await send(port, traffic);
    await running.stop();
    return { profile: largestIn(join(dir, "prof")), from };
  } finally {
    await sink.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Threads leave profiles of their own, smaller than the worker's. */
function largestIn(dir: string): CpuProfile {
  const texts = readdirSync(dir).map((name) => readFileSync(join(dir, name), "utf8"));
  const [largest] = texts.sort((a, b) => b.length - a.length);
  if (largest === undefined) throw new Error("the worker left no profile");
  return JSON.parse(largest) as CpuProfile;
}
