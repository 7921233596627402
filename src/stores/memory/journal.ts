import type { Entry } from "../../ledger/entry.ts";
import type { Journal } from "../../ledger/journal.ts";
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
    close: async () => {},
  };
}
