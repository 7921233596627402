/** One target in a process of its own. A thread beside it tells, and ends the process, when an input does not come back. */
import { readFileSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { type Finding, fuzz, HANG_MS, tryOne, type Watch } from "./engine.ts";
import type { News } from "./main.ts";
import { corpusSeeds, ownSeeds } from "./seeds.ts";
import { targetOf } from "./targets/index.ts";

const task = JSON.parse(process.argv[2] ?? "{}") as {
  target: string;
  seed: number;
  inputsMax: number | null;
  endInMs: number;
  /** Where an input is left that does not come back. */
  hangFile: string;
  replay?: string;
};
const tell = (news: News): Promise<void> =>
  new Promise((resolve) => process.send?.(news, undefined, {}, () => resolve()) ?? resolve());
const target = targetOf(task.target);

/** The input that runs, where the other thread can see it: [sequence, length], then the bytes. */
const HEAD = 8;
const shared = new SharedArrayBuffer(HEAD + 4 * 1_048_576);
const head = new Int32Array(shared, 0, 2);
const bytes = new Uint8Array(shared, HEAD);

const told: Promise<void>[] = [];
const found = ({ kind, says, input }: Finding): void => {
  told.push(tell({ finding: { kind, says, input: input.toString("base64") } }));
};
let running: Buffer = Buffer.alloc(0);
const watch: Watch = {
  before(input) {
    running = input;
    bytes.set(input.subarray(0, bytes.length));
    Atomics.store(head, 1, Math.min(input.length, bytes.length));
    Atomics.add(head, 0, 1);
  },
  found,
};

/** What nobody caught is a finding of the input that ran; then there is nothing left to trust. */
const fatal = (error: unknown): void => {
  const says = `uncaught: ${error instanceof Error ? error.stack?.split("\n").slice(0, 4).join(" ") : error}`;
  found({ kind: "throw", signature: says, says, input: running });
  void Promise.all(told).then(() => process.exit(1));
};
process.on("uncaughtException", fatal);
process.on("unhandledRejection", fatal);

// Who is nobody's child has nobody to tell.
process.on("disconnect", () => process.exit(1));

const WATCHDOG = `
const { workerData: { shared, patienceMs, head: at, hangFile } } = require("node:worker_threads");
const head = new Int32Array(shared, 0, 2);
let last = -1;
let since = Date.now();
setInterval(() => {
  const now = Atomics.load(head, 0);
  if (now !== last) { last = now; since = Date.now(); return; }
  if (Date.now() - since < patienceMs) return;
  require("node:fs").writeFileSync(hangFile, Buffer.from(new Uint8Array(shared, at, Atomics.load(head, 1))));
  process.kill(process.pid, "SIGKILL");
}, 1000);
`;
const watchdog = new Worker(WATCHDOG, {
  eval: true,
  workerData: { shared, patienceMs: 3 * HANG_MS, head: HEAD, hangFile: task.hangFile },
});
watchdog.unref();

if (task.replay === undefined) {
  const seeds = [...ownSeeds(target).map(({ bytes: seed }) => seed), ...corpusSeeds(target)];
  const limits = {
    seed: task.seed,
    endMs: performance.now() + task.endInMs,
    inputsMax: task.inputsMax ?? Number.POSITIVE_INFINITY,
  };
  const tally = await fuzz(target, seeds, limits, watch);
  await Promise.all(told);
  await tell({ tally });
} else {
  const opened = await target.open();
  const { finding, costMs } = await tryOne(opened, readFileSync(task.replay), target.stallMs);
  if (finding) found(finding);
  else console.log(`nothing: ${costMs.toFixed(1)} ms of processor time`);
  await Promise.all(told);
  await opened.close?.();
}
process.exit(0);
