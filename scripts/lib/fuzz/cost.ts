/**
 * What an input costs this thread. Time on the wall says nothing on a machine that others use, so processor time is taken; and a
 * stall is only what one turn of the event loop takes, however long the input takes in all.
 */
import { Session } from "node:inspector";

/** Longest turn of the event loop that is no bug, ms of processor time. */
export const STALL_MS = 50;
const CONFIRMATIONS = 3;

/** Processor time of this thread so far, ms. Node before 23.9 only knows that of the whole process. */
export function threadMs(): number {
  const { user, system } = (process.threadCpuUsage ?? process.cpuUsage)();
  return (user + system) / 1000;
}

/** The longest turn of the event loop while `work` runs, ms of processor time. */
async function longestTurn(work: () => void | Promise<void>): Promise<number> {
  let longest = 0;
  let running = true;
  let before = threadMs();
  const tick = (): void => {
    const now = threadMs();
    longest = Math.max(longest, now - before);
    before = threadMs();
    if (running) setImmediate(tick);
  };
  setImmediate(tick);
  try {
    await work();
  } finally {
    longest = Math.max(longest, threadMs() - before);
    running = false;
  }
  return longest;
}

const LEAST_MS = 0.1;

/** A piece of work that is always the same: others on the same cores make it dearer, and by that much everything else, too. */
function yardstickMs(): number {
  const before = threadMs();
  let text = "";
  for (let n = 0; n < 60_000; n += 1) text = (text + n).slice(-64);
  // A clock that was not moved on meanwhile says nothing, and divides by nothing.
  return text === "" ? LEAST_MS : Math.max(LEAST_MS, threadMs() - before);
}

let bestYardstickMs = Number.POSITIVE_INFINITY;

/** How much dearer than at its best the machine is now, 1 or more. */
function dearness(): number {
  const now = Math.min(yardstickMs(), yardstickMs());
  bestYardstickMs = Math.min(bestYardstickMs, now);
  return Math.max(1, now / bestYardstickMs);
}
for (let n = 0; n < 10; n += 1) dearness();

/** The shortest of three tries' longest turns, at the machine's best price: only what is long each time is the input's doing. */
export async function stallOf(work: () => void | Promise<void>, enoughMs: number): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let n = 0; n < CONFIRMATIONS && best >= enoughMs; n += 1) {
    const before = dearness();
    const turnMs = await longestTurn(work);
    best = Math.min(best, turnMs / Math.max(before, dearness()));
  }
  return best;
}

/** Where most of the time went: "name src/mail/text.ts:86", the lowest function of our own on the way. */
export async function hottest(work: () => void | Promise<void>): Promise<string> {
  const session = new Session();
  session.connect();
  const ask = <T>(method: string, params: object = {}): Promise<T> =>
    new Promise((resolve, reject) =>
      session.post(method, params, (error: Error | null, result?: object) =>
        error ? reject(error) : resolve(result as T),
      ),
    );
  await ask("Profiler.enable");
  await ask("Profiler.setSamplingInterval", { interval: 500 });
  await ask("Profiler.start");
  await Promise.resolve(work()).catch(() => undefined);
  const { profile } = await ask<{ profile: Profile }>("Profiler.stop");
  session.disconnect();
  return blame(profile);
}

interface Node {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly children?: readonly number[];
}
interface Profile {
  readonly nodes: readonly Node[];
  readonly samples?: readonly number[];
}

function blame({ nodes, samples = [] }: Profile): string {
  const parents = new Map(nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node.id] as const)));
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const counts = new Map<string, number>();
  for (const sample of samples) {
    let at: number | undefined = sample;
    while (at !== undefined && !byId.get(at)?.callFrame.url.includes("/src/")) at = parents.get(at);
    const frame = at === undefined ? undefined : byId.get(at)?.callFrame;
    if (!frame) continue;
    const name = `${frame.functionName || "(unnamed)"} ${frame.url.replace(/^.*\/src\//, "src/")}:${frame.lineNumber + 1}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0] ?? "nowhere of ours";
}
