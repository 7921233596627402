/** The same traffic to one contender after the other, round after round, there and back; each round as long as it takes to be worth measuring. */
import type { Contender } from "./contenders.ts";
import { familyCpuSeconds, familyMemoryMb } from "./family.ts";
import { median } from "./report.ts";
import { send, type Traffic } from "./traffic.ts";

export interface Measured {
  readonly name: string;
  /** Mails a second: median, least and most. */
  readonly rate: number;
  readonly least: number;
  readonly most: number;
  /** Processor time for 1,000 mails, s, of all its processes. */
  readonly cpu: number;
  /** The most that all its processes held together after a round, MB; shared pages in parts. */
  readonly memoryMb: number;
  readonly rates: readonly number[];
}

export interface Pace {
  readonly rounds: number;
  /** A round takes about so long, s. */
  readonly seconds: number;
  /** First guess of its mails, and the least there are. */
  readonly mailsMin: number;
}

const MAILS_MAX = 60_000;
/** Everybody has so long of the same traffic first: a program of Node grows faster for tens of thousands of mails. */
const WARM_UP_S = 4;

/** @param pace.out is told of a contender that cannot take this traffic; the others go on */
export async function measureRounds(
  contenders: readonly Contender[],
  traffic: Omit<Traffic, "mails">,
  { out, ...pace }: Pace & { readonly out: (why: string) => void },
): Promise<Measured[]> {
  const all = contenders.map((contender) => ({
    contender,
    mails: pace.mailsMin,
    rates: [] as number[],
    cpus: [] as number[],
    memoryMb: 0,
  }));
  const runs: typeof all = [];
  for (const run of all) {
    try {
      const first = pace.mailsMin / (await send(run.contender.port, { ...traffic, mails: pace.mailsMin }));
      // Once more, for code that is compiled while it runs: some are three times as fast then.
      const mails = Math.round(Math.min(MAILS_MAX, Math.max(pace.mailsMin, first * WARM_UP_S)));
      const rate = mails / (await send(run.contender.port, { ...traffic, mails }));
      run.mails = Math.round(Math.min(MAILS_MAX, Math.max(pace.mailsMin, rate * pace.seconds)));
      runs.push(run);
    } catch (error) {
      out(`${run.contender.name}: ${(error as Error).message.trim()}`);
    }
  }
  for (let round = 0; round < pace.rounds; round += 1) {
    // There and back: who comes later in a minute that grows calmer or busier gains nothing by it.
    for (const run of round % 2 === 0 ? runs : runs.toReversed()) {
      const cpu = familyCpuSeconds(run.contender.pids);
      const seconds = await send(run.contender.port, { ...traffic, mails: run.mails });
      run.rates.push(run.mails / seconds);
      run.cpus.push(((familyCpuSeconds(run.contender.pids) - cpu) / run.mails) * 1000);
      run.memoryMb = Math.max(run.memoryMb, familyMemoryMb(run.contender.pids));
    }
    process.stderr.write(
      `  round ${round + 1} of ${pace.rounds}: ${runs.map(({ rates }) => rates.at(-1)?.toFixed(0)).join(", ")}\n`,
    );
  }
  return runs.map(({ contender, rates, cpus, memoryMb }) => ({
    name: contender.name,
    rate: median(rates),
    least: Math.min(...rates),
    most: Math.max(...rates),
    cpu: median(cpus),
    memoryMb,
    rates,
  }));
}

/** Of two that took turns: each round beside its neighbour, because the machine's pace changes from minute to minute. */
export const ratioOf = (one: Measured | undefined, beside: Measured | undefined): number =>
  median((one?.rates ?? [Number.NaN]).map((rate, round) => rate / (beside?.rates[round] ?? Number.NaN)));
