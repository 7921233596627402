import { join } from "node:path";
import type { Clock } from "../../kit/clock.ts";
import type { Store } from "../../kit/store.ts";
import { createLmdbAdmissions } from "./admissions.ts";
import { Environment } from "./environment.ts";
import { createLmdbMarks } from "./marks.ts";
import { createLmdbTables } from "./tables.ts";
import { createWindowBook } from "./window-book.ts";
import { createLmdbWindows, type Signals } from "./windows.ts";

const SIGNALS: readonly Signals[] = ["windows", "changes", "firsts", "sets", "members", "order"];

export interface LmdbStoreOptions {
  /** The embedded store lives in `store` and `signals` under it. */
  readonly dir: string;
  /** Longest wait for one write, ms. */
  readonly timeoutMs: number;
  readonly clock: Clock;
}

/**
 * The embedded store, shared by the processes of one machine. Records have one environment, windows and marks another, so
 * that counting does not queue with consents for LMDB's single writer.
 *
 * @throws Misuse when the directory cannot be ours, Unavailable when the disk fails
 */
export async function openLmdbStore({ dir, timeoutMs, clock }: LmdbStoreOptions): Promise<Store> {
  const dependency = "store";
  const records = new Environment({ dir: join(dir, "store"), names: ["tables"], dependency, timeoutMs });
  const book = createWindowBook();
  const signals = new Environment({ dir: join(dir, "signals"), names: SIGNALS, dependency, timeoutMs, around: book });
  const tables = createLmdbTables(records);
  return {
    tables,
    windows: createLmdbWindows(signals, book, clock),
    admissions: createLmdbAdmissions({ tables, environment: signals, book }, clock),
    marks: createLmdbMarks(signals, clock),
    async ping() {
      await records.read(({ tables }) => tables.get(Buffer.of(1)));
      await signals.read(({ windows }) => windows.get(Buffer.of(1)));
    },
    async close() {
      await Promise.all([records.close(), signals.close()]);
    },
  };
}
