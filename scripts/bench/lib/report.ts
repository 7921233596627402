/** One figure with the target it is held to; `target` absent: told, not judged. */
export interface Result {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly target?: number;
  /** least: at least the target (default); most: at most. */
  readonly bound?: "least" | "most";
}

const met = ({ value, target, bound }: Result): boolean =>
  target === undefined || (bound === "most" ? value <= target : value >= target);

/**
 * Prints the table and, last, the one JSON line; sets the exit code.
 * @param skipped what was not measured, and why; it is no target met
 */
export function report(bench: string, results: readonly Result[], skipped: readonly string[] = []): void {
  const ok = results.every(met);
  for (const result of results) {
    const goal =
      result.target === undefined
        ? ""
        : ` (${result.bound === "most" ? "at most" : "at least"} ${result.target}: ${met(result) ? "met" : "MISSED"})`;
    console.log(`  ${result.name.padEnd(58)} ${String(round(result.value)).padStart(10)} ${result.unit}${goal}`);
  }
  const rows = results.map((result) => ({
    name: result.name,
    value: round(result.value),
    target: result.target ?? null,
    unit: result.unit,
    ok: met(result),
  }));
  for (const each of skipped) console.log(`  not measured: ${each}`);
  console.log(JSON.stringify({ bench, ok, ...(skipped.length > 0 && { skipped }), results: rows }));
  process.exitCode = ok ? 0 : 1;
}

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
};

const round = (value: number): number => Number(value.toPrecision(4));
