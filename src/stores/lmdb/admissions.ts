import type { Clock } from "../../kit/clock.ts";
import type { Admission, Admissions, Admitted, Tables, Versioned } from "../../kit/store.ts";
import { admitStep, quotasOf } from "../quotas.ts";
import { checkAmount } from "../window-state.ts";
import type { Environment } from "./environment.ts";
import type { Dbs } from "./open.ts";
import { loadWindow, type Signals, saveWindow, sweepWindows, windowAt } from "./windows.ts";

/** Records whose quotas are taken in one transaction, without letting anybody else in between. */
const BATCH_RECORDS = 500;

const SWEEP_EVERY = 32;

/** Admissions in LMDB: records are read, then all quotas of a batch are taken in one transaction; where none is asked for, none is begun. */
export function createLmdbAdmissions(tables: Tables, environment: Environment<Signals>, clock: Clock): Admissions {
  const sweep = sweepWindows(clock);
  let unswept = 0;
  /** Twice as many as may have been added, not each time. */
  const sweepAfter = (dbs: Dbs<Signals>, added: number): void => {
    unswept += added;
    if (unswept < SWEEP_EVERY) return;
    sweep(dbs, 2 * unswept);
    unswept = 0;
  };

  async function admitBatch(table: string, admissions: readonly Admission[], n: number): Promise<Admitted[]> {
    const records = await tables.getMany(
      table,
      admissions.map(({ key }) => key),
    );
    const asked = admissions.map((admission, index) => ({
      record: records[index],
      partition: admission.key.partition,
      quotas: quotasOf(admission, records[index]?.value),
    }));
    if (asked.every(({ quotas }) => quotas.length === 0)) return asked.map(({ record }) => ({ record, grants: [] }));
    const nowMs = clock.now();
    const work = (dbs: Dbs<Signals>): Admitted[] => asked.map((each) => takeAll(dbs, each, { n, nowMs }));
    if (n === 0) return environment.read(work);
    return environment.write((dbs) => {
      sweepAfter(dbs, admissions.length);
      return work(dbs);
    }, admissions.length);
  }

  return {
    async admit(table, admissions, n) {
      checkAmount(n);
      const all: Admitted[] = [];
      for (let from = 0; from < admissions.length; from += BATCH_RECORDS) {
        all.push(...(await admitBatch(table, admissions.slice(from, from + BATCH_RECORDS), n)));
      }
      return all;
    },
  };
}

interface Asked {
  readonly record: Versioned | undefined;
  readonly partition: string;
  readonly quotas: ReturnType<typeof quotasOf>;
}

function takeAll(
  { windows }: Dbs<Signals>,
  { record, partition, quotas }: Asked,
  step: { n: number; nowMs: number },
): Admitted {
  const grants = quotas.map((quota) => {
    const at = windowAt({ partition, id: quota.id });
    const { state, grant } = admitStep(loadWindow(windows, at).state, quota, step);
    if (step.n > 0 && grant.granted) {
      saveWindow(windows, at, { expiresAtMs: (state.at(-2) ?? step.nowMs) + quota.windowMs, state });
    }
    return grant;
  });
  return { record, grants };
}
