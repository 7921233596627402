import type { Entry } from "../../ledger/entry.ts";
import type { ClosedHour, Journal, Taken } from "../../ledger/journal.ts";
import { hourOf, spanOf } from "../hourlog/names.ts";
import { byBytes } from "../order.ts";
import { matcher } from "../search.ts";

const byTime = (a: Entry, b: Entry): number => a.at - b.at || byBytes(a.id, b.id);

/** The entries of one hour, in the order in which they came. */
interface Sheet {
  readonly name: string;
  readonly hour: string;
  readonly entries: Entry[];
}

/** A journal in memory, for tests and dry runs: nothing of it outlives the process. */
export function createMemoryJournal(): Journal {
  const sheets = new Map<string, Sheet>();
  const known = new Set<string>();
  let made = 0;
  const sheetOf = (hour: string): Sheet => {
    const found = sheets.get(hour);
    if (found) return found;
    made += 1;
    const sheet: Sheet = { name: `${hour}.${made}`, hour, entries: [] };
    sheets.set(hour, sheet);
    return sheet;
  };
  const all = (): Sheet[] => [...sheets.values()].sort((a, b) => byBytes(a.hour, b.hour));
  return {
    async append(more) {
      for (const entry of more) {
        if (known.has(entry.id)) continue;
        known.add(entry.id);
        sheetOf(hourOf(entry.at)).entries.push(structuredClone(entry));
      }
    },
    async *find(search, taken) {
      const matches = matcher(search);
      const left = all().flatMap(({ name, entries }) => entries.slice(taken?.get(name) ?? 0));
      for (const entry of left.filter(matches).sort(byTime)) yield structuredClone(entry);
    },
    sources: async () => all().map(({ name, hour }) => ({ name, hour })),
    async closedHours(nowMs, taken) {
      return all().flatMap((sheet) => (spanOf(sheet.hour).endMs <= nowMs ? closedHour(sheet, taken) : []));
    },
    async forget(taken) {
      for (const { name, hour, entries } of all()) {
        if (taken.get(name) !== entries.length) continue;
        sheets.delete(hour);
        for (const { id } of entries) known.delete(id);
      }
    },
    close: async () => {},
  };
}

function closedHour({ name, hour, entries }: Sheet, taken: Taken | undefined): ClosedHour[] {
  const written = entries.slice(taken?.get(name) ?? 0).sort(byTime);
  if (written.length === 0) return [];
  return [
    {
      hour,
      taken: new Map([[name, entries.length]]),
      async *read() {
        yield* written;
      },
    },
  ];
}
