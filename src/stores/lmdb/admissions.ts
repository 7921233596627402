import type { Clock } from "../../kit/clock.ts";
import type { Admissions, Admitted, Tables, Versioned } from "../../kit/store.ts";
import { admitStep, quotasOf } from "../quotas.ts";
import { gatherAdmissions, type Question } from "../turn.ts";
import type { Environment } from "./environment.ts";
import type { Dbs } from "./open.ts";
import { loadWindow, type Signals, saveWindow, sweepWindows, windowAt } from "./windows.ts";

/** Records whose quotas are taken in one transaction, without letting anybody else in between. */
const BATCH_RECORDS = 500;

/** Admissions in LMDB: records are read, then all quotas of a batch are taken in one transaction; where none is asked for, none is begun. */
export function createLmdbAdmissions(tables: Tables, environment: Environment<Signals>, clock: Clock): Admissions {
  const sweep = sweepWindows(clock);

  async function admitBatch(questions: readonly Question[]): Promise<Admitted[]> {
    const [{ table, n } = { table: "", n: 0 }] = questions;
    const records = await tables.getMany(
      table,
      questions.map(({ admission }) => admission.key),
    );
    const asked = questions.map(({ admission }, index) => ({
      record: records[index],
      partition: admission.key.partition,
      quotas: quotasOf(admission, records[index]?.value),
    }));
    if (asked.every(({ quotas }) => quotas.length === 0)) return asked.map(({ record }) => ({ record, grants: [] }));
    const nowMs = clock.now();
    const work = (dbs: Dbs<Signals>): Admitted[] => asked.map((each) => takeAll(dbs, each, { n, nowMs }));
    if (n === 0) return environment.read(work);
    return environment.write((dbs) => {
      sweep(dbs, questions.length);
      return work(dbs);
    }, questions.length);
  }

  async function answer(questions: readonly Question[]): Promise<void> {
    try {
      const all = await admitBatch(questions);
      for (const [index, { resolve }] of questions.entries()) resolve(all[index] ?? { record: undefined, grants: [] });
    } catch (error) {
      for (const { reject } of questions) reject(error);
    }
  }

  return gatherAdmissions((questions) => {
    for (let from = 0; from < questions.length; from += BATCH_RECORDS) {
      void answer(questions.slice(from, from + BATCH_RECORDS));
    }
  });
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
