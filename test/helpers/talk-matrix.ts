/** What became of each talk at each door, as one table. */
import type { Entry } from "../../src/ledger/entry.ts";

export interface Matrix {
  note(talk: string, door: string, verdict: string): void;
  /** Not played there; the reason stands below the table. */
  skip(talk: string, door: string, reason: string): void;
  /** Case × door × verdict. */
  print(): string;
}

export function createMatrix(): Matrix {
  const rows = new Map<string, Map<string, string>>();
  const doors = new Set<string>();
  const skips: string[] = [];
  const note = (talk: string, door: string, verdict: string): void => {
    doors.add(door);
    const row = rows.get(talk) ?? new Map<string, string>();
    rows.set(talk, row.set(door, verdict));
  };
  return {
    note,
    skip(talk, door, reason) {
      note(talk, door, "-");
      skips.push(`- ${talk}, ${door}: ${reason}`);
    },
    print() {
      const columns = [...doors];
      const lines = [...rows].sort(([a], [b]) => (a < b ? -1 : 1));
      const table = [
        ["talk", ...columns],
        ...lines.map(([talk, row]) => [talk, ...columns.map((door) => row.get(door) ?? "FAILED")]),
      ];
      const widths = table[0]?.map((_, column) => Math.max(...table.map((line) => line[column]?.length ?? 0))) ?? [];
      const lined = table.map((line) =>
        line
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join("  ")
          .trimEnd(),
      );
      return [...lined, "", "Not played:", ...skips].join("\n");
    },
  };
}

/** "2 refused, 1 received": the judgements of a talk in the order of the catalogue. */
export function verdictsOf(entries: readonly Entry[]): string {
  const counts = new Map<string, number>();
  for (const { event } of entries) counts.set(event, (counts.get(event) ?? 0) + 1);
  counts.delete("handed-over");
  if (counts.size === 0) return "nothing to judge";
  return [...counts]
    .sort()
    .map(([event, count]) => `${count} ${event}`)
    .join(", ");
}
