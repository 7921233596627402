/**
 * One target, one seed of the random, until the time or the number of inputs is over: input after input, each of them watched for
 * throws, broken invariants, stalls of the event loop and memory that stays. What reached new code becomes a seed itself.
 */
import { createHash } from "node:crypto";
import { randomOf } from "../random.ts";
import { hottest, STALL_MS, stallOf, threadMs } from "./cost.ts";
import { watchCoverage } from "./coverage.ts";
import { minimise } from "./minimise.ts";
import { mutate } from "./mutate.ts";
import type { Opened, Target } from "./target.ts";

export interface Limits {
  readonly seed: number;
  readonly endMs: number;
  readonly inputsMax: number;
}

export interface Finding {
  readonly kind: "throw" | "stall" | "hang" | "memory";
  /** The same finding of another input has the same. */
  readonly signature: string;
  readonly says: string;
  readonly input: Buffer;
}

export interface Tally {
  readonly inputs: number;
  readonly seeds: number;
  /** How often inputs reached code that none had reached before. */
  readonly discoveries: number;
  /** Of all inputs in their order: the same for the same seed. */
  readonly digest: string;
  /** What went wrong once and not again in five tries: by sockets, on a busy machine. */
  readonly once: number;
  /** The most that one input cost, ms of processor time, all turns together. */
  readonly dearestMs: number;
}

export interface Watch {
  /** Is told of each input before it runs, for whoever has to know what ran when nothing comes back. */
  before(input: Buffer): void;
  found(finding: Finding): void;
}

const FOUND_MAX = 20;
const POOL_MAX = 4000;
const COVERAGE_EVERY = 16;
const MEMORY_EVERY = 2000;
const MEMORY_BYTES_MAX = 64 * 1_048_576;
/** An input that takes longer by the clock on the wall does not come back. */
export const HANG_MS = 30_000;

export async function fuzz(target: Target, seeds: readonly Buffer[], limits: Limits, watch: Watch): Promise<Tally> {
  const opened = await target.open();
  const random = randomOf(limits.seed ^ hashOf(target.name));
  const coverage = target.isAsync ? undefined : watchCoverage();
  const pool = seeds.map((seed) => seed.toString("latin1"));
  const fresh: Buffer[] = [];
  const known = new Set<string>();
  const memory = memoryWatch();
  const digest = createHash("sha256");
  const tally = { inputs: 0, seeds: seeds.length, discoveries: 0, dearestMs: 0, once: 0 };
  const palette = { ...target, other: () => pool[Math.floor(random() * pool.length)] ?? "" };
  while (tally.inputs < limits.inputsMax && performance.now() < limits.endMs && known.size < FOUND_MAX) {
    // The seeds themselves first, as they are.
    const text = pool[tally.inputs < seeds.length ? tally.inputs : Math.floor(random() * pool.length)] ?? "";
    const input = Buffer.from(tally.inputs < seeds.length ? text : mutate(text, random, palette), "latin1");
    tally.inputs += 1;
    digest.update(input).update("|");
    watch.before(input);
    const { finding, costMs } = await tryOne(opened, input, target.stallMs);
    tally.dearestMs = Math.max(tally.dearestMs, costMs);
    const news = finding ?? (tally.inputs % MEMORY_EVERY === 0 ? memory(input) : undefined);
    if (news && !known.has(news.signature)) {
      if (news.kind === "throw" && target.isAsync && !(await isSteady(opened, news, target.stallMs))) {
        tally.once += 1;
        continue;
      }
      known.add(news.signature);
      watch.found(await shortened(opened, news, target.stallMs));
    }
    if (!coverage) continue;
    if (!finding && tally.inputs > seeds.length) fresh.push(input);
    if (tally.inputs % COVERAGE_EVERY !== 0) continue;
    // Asking costs more than most inputs, so some are asked about together.
    if (coverage.grew() && pool.length < POOL_MAX) {
      pool.push(...fresh.map((each) => each.toString("latin1")));
      tally.discoveries += 1;
    }
    fresh.length = 0;
  }
  coverage?.stop();
  await opened.close?.();
  return { ...tally, digest: digest.digest("hex").slice(0, 16) };
}

/** Runs one input and says what is wrong with what happened, if anything. */
export async function tryOne(
  opened: Opened,
  input: Buffer,
  stallMs = STALL_MS,
): Promise<{ finding?: Finding; costMs: number }> {
  const before = threadMs();
  const thrown = await runBounded(opened, input);
  const costMs = threadMs() - before;
  if (thrown) return { finding: findingOf(thrown, input), costMs };
  if (costMs < stallMs) return { costMs };
  const again = async (): Promise<void> => void (await runBounded(opened, input));
  const turnMs = await stallOf(again, stallMs);
  if (turnMs < stallMs) return { costMs };
  const where = await hottest(again);
  const says = `the event loop stands still for ${Math.round(turnMs)} ms, mostly in ${where}`;
  return { finding: { kind: "stall", signature: `stall ${where}`, says, input }, costMs };
}

const TRIES = 5;

/** Does it come again? With sockets on a busy machine a late answer to one input may fall into the time of the next. */
async function isSteady(opened: Opened, { input, kind }: Finding, stallMs?: number): Promise<boolean> {
  for (let n = 0; n < TRIES; n += 1) if ((await tryOne(opened, input, stallMs)).finding?.kind === kind) return true;
  return false;
}

async function runBounded(opened: Opened, input: Buffer): Promise<Error | undefined> {
  let timer: NodeJS.Timeout | undefined;
  try {
    const running = opened.run(input);
    if (!running) return undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no end within ${HANG_MS} ms`)), HANG_MS);
    });
    await Promise.race([running, late]);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  } finally {
    clearTimeout(timer);
  }
}

function findingOf(error: Error, input: Buffer): Finding {
  const frame =
    /\(?(?:file:\/\/)?\S*?\/((?:src|scripts)\/\S+?:\d+):\d+\)?/.exec(error.stack ?? "")?.[1] ?? "nowhere of ours";
  const says = `${error.name}: ${error.message} (${frame})`;
  return { kind: "throw", signature: `${error.name} ${error.message.replace(/\d+|".*"/g, "#")} ${frame}`, says, input };
}

async function shortened(opened: Opened, finding: Finding, stallMs?: number): Promise<Finding> {
  if (finding.kind === "memory") return finding;
  const shows = async (smaller: Buffer): Promise<boolean> => {
    const { finding: other } = await tryOne(opened, smaller, stallMs);
    return other?.kind === finding.kind && (finding.kind === "stall" || other.signature === finding.signature);
  };
  return { ...finding, input: await minimise(finding.input, shows) };
}

/** What stays after the garbage is gone may not grow with the number of inputs. */
function memoryWatch(): (input: Buffer) => Finding | undefined {
  const { gc } = globalThis as { gc?: () => void };
  let first: number | undefined;
  return (input) => {
    gc?.();
    const { heapUsed, external } = process.memoryUsage();
    first ??= heapUsed + external;
    const grown = heapUsed + external - first;
    if (!gc || grown < MEMORY_BYTES_MAX) return undefined;
    const says = `${Math.round(grown / 1_048_576)} MB more are held than after the first ${MEMORY_EVERY} inputs`;
    return { kind: "memory", signature: "memory", says, input };
  };
}

const hashOf = (name: string): number => createHash("sha256").update(name).digest().readUInt32BE(0);
