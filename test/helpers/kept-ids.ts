import { systemClock } from "../../src/kit/clock.ts";
import { openJournal } from "../../src/stores/hourlog/journal.ts";
import { openLmdbStore } from "../../src/stores/lmdb/store.ts";

/** Opens what lmdb-child.ts wrote, and gives the ids that are there. */
export async function keptIds(kind: "table" | "journal", dir: string): Promise<Set<string>> {
  const kept = new Set<string>();
  if (kind === "journal") {
    const journal = await openJournal(dir);
    for await (const { id } of journal.find({})) kept.add(id);
    await journal.close();
  } else {
    const store = await openLmdbStore({ dir, timeoutMs: 5_000, clock: systemClock });
    for await (const { key } of store.tables.scan("t")) kept.add(key.id);
    await store.tables.put("t", { partition: "p", id: "still writable" }, 1);
    await store.close();
  }
  return kept;
}
