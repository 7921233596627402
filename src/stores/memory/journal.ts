import type { Entry } from "../../ledger/entry.ts";
import type { ClosedHour, Journal } from "../../ledger/journal.ts";
import { hourOf, spanOf } from "../hourlog/names.ts";
import { byBytes } from "../order.ts";
import { matcher } from "../search.ts";

const byTime = (a: Entry, b: Entry): number => a.at - b.at || byBytes(a.id, b.id);

/** A journal in memory, for tests and dry runs: nothing of it outlives the process. */
export function createMemoryJournal(): Journal {
  const entries = new Map<string, Entry>();
  return {
    async append(more) {
      for (const entry of more) entries.set(entry.id, structuredClone(entry));
    },
    async *find(search) {
      const matches = matcher(search);
      const found = [...entries.values()].filter(matches);
      for (const entry of found.sort(byTime)) yield structuredClone(entry);
    },
    async closedHours(nowMs) {
      const hours = new Set([...entries.values()].map(({ at }) => hourOf(at)));
      return [...hours].sort().flatMap((hour) => (spanOf(hour).endMs <= nowMs ? [closedHour(entries, hour)] : []));
    },
    close: async () => {},
  };
}

function closedHour(entries: Map<string, Entry>, hour: string): ClosedHour {
  const written = [...entries.values()].filter(({ at }) => hourOf(at) === hour).sort(byTime);
  return {
    hour,
    async *read() {
      yield* written;
    },
    async drop() {
      for (const { id } of written) entries.delete(id);
    },
  };
}
