import type { Clock } from "../../kit/clock.ts";
import type { Store } from "../../kit/store.ts";
import { createMemoryMarks } from "./marks.ts";
import { createMemoryTables } from "./tables.ts";
import { createMemoryWindows } from "./windows.ts";

/** A store in memory, for tests and dry runs: nothing of it outlives the process. */
export function createMemoryStore(clock: Clock): Store {
  return {
    tables: createMemoryTables(),
    windows: createMemoryWindows(clock),
    marks: createMemoryMarks(clock),
    ping: async () => {},
    close: async () => {},
  };
}
