import type { Clock } from "../../kit/clock.ts";
import type { Store } from "../../kit/store.ts";
import { createMemoryAdmissions } from "./admissions.ts";
import { createMemoryMarks } from "./marks.ts";
import { createMemoryTables } from "./tables.ts";
import { createMemoryWindows } from "./windows.ts";

/** A store in memory, for tests and dry runs: nothing of it outlives the process. */
export function createMemoryStore(clock: Clock): Store {
  const tables = createMemoryTables();
  const windows = createMemoryWindows(clock);
  return {
    tables,
    windows,
    admissions: createMemoryAdmissions(tables, windows),
    marks: createMemoryMarks(clock),
    ping: async () => {},
    close: async () => {},
  };
}
