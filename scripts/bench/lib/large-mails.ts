/** What a megabyte costs in mails of 1, 10 and 49 MB, and what is held meanwhile: "a mail costs what its size costs". */
import type { Contender } from "./contenders.ts";
import { familyCpuSeconds, familyMemoryMb } from "./family.ts";
import { median, type Result } from "./report.ts";
import { send, type Traffic } from "./traffic.ts";

const MB = 1_048_576;
/** The largest, with its header, is just below what is taken by default (limits.mailBytesMax). */
const SIZES_MB = [1, 10, 49] as const;
const ROUND_MB = 490;
const SESSIONS = 4;
const LOOK_MS = 50;

interface Cost {
  /** Processor time for a megabyte, ms. */
  readonly cpuMs: number;
  /** The most that was held, MB. */
  readonly memoryMb: number;
}

/** @param rounds of each size, in turns; one before them does not count */
export async function largeMails(
  to: Contender,
  traffic: Pick<Traffic, "sender" | "recipient">,
  rounds: number,
): Promise<Result[]> {
  const costs = new Map<number, Cost[]>(SIZES_MB.map((size) => [size, []]));
  for (let round = 0; round <= rounds; round += 1) {
    for (const [size, found] of costs) {
      const cost = await costOf(to, { ...traffic, sessions: SESSIONS, bytes: size * MB, mails: ROUND_MB / size });
      if (round > 0) found.push(cost);
    }
  }
  const cpuMs = (size: number): number => median((costs.get(size) ?? []).map((cost) => cost.cpuMs));
  const memoryMb = (size: number): number => median((costs.get(size) ?? []).map((cost) => cost.memoryMb));
  return [
    {
      name: "large: CPU of a MB, mails of 49 MB / 1 MB",
      value: cpuMs(49) / cpuMs(1),
      target: 1.25,
      bound: "most",
      unit: "x",
    },
    {
      name: "large: memory, mails of 49 MB / 10 MB",
      value: memoryMb(49) / memoryMb(10),
      target: 1.25,
      bound: "most",
      unit: "x",
    },
    ...SIZES_MB.flatMap((size): Result[] => [
      { name: `large: CPU of a MB, mails of ${size} MB`, value: cpuMs(size), unit: "ms" },
      { name: `large: memory, four mails of ${size} MB at once`, value: memoryMb(size), unit: "MB" },
    ]),
  ];
}

async function costOf({ port, pids }: Contender, traffic: Traffic): Promise<Cost> {
  const before = familyCpuSeconds(pids);
  let memoryMb = 0;
  const looking = setInterval(() => {
    memoryMb = Math.max(memoryMb, familyMemoryMb(pids));
  }, LOOK_MS);
  try {
    await send(port, traffic);
  } finally {
    clearInterval(looking);
  }
  const megabytes = (traffic.mails * traffic.bytes) / MB;
  return { cpuMs: ((familyCpuSeconds(pids) - before) / megabytes) * 1000, memoryMb };
}
