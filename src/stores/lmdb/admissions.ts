import type { Clock } from "../../kit/clock.ts";
import type { Admissions, Admitted, Tables, Versioned } from "../../kit/store.ts";
import { admitStep, quotasOf } from "../quotas.ts";
import { gatherAdmissions, type Question } from "../turn.ts";
import type { Environment } from "./environment.ts";
import type { Dbs } from "./open.ts";
import type { WindowBook, WindowReader, WindowTurn } from "./window-book.ts";
import { type Signals, sweepWindows } from "./windows.ts";

/** Records whose quotas are taken in one transaction, without letting anybody else in between. */
const BATCH_RECORDS = 500;

interface Parts {
  readonly tables: Tables;
  readonly environment: Environment<Signals>;
  readonly book: WindowBook;
}

/** Admissions in LMDB: records are read, then all quotas of a batch are taken in one transaction; where none is asked for, none is begun. */
export function createLmdbAdmissions({ tables, environment, book }: Parts, clock: Clock): Admissions {
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
    const step = { n, nowMs };
    if (n === 0) {
      return environment.read((dbs) => {
        const windows = book.look(dbs);
        return asked.map((each) => lookAt(windows, each, step));
      });
    }
    return environment.write((dbs: Dbs<Signals>) => {
      const turn = book.turn(dbs);
      const admitted = asked.map((each) => takeAll(turn, each, step));
      turn.end(nowMs);
      sweep(dbs, questions.length);
      return admitted;
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

interface Step {
  readonly n: number;
  readonly nowMs: number;
}

function lookAt(windows: WindowReader, { record, partition, quotas }: Asked, step: Step): Admitted {
  const grants = quotas.map((quota) => admitStep(windows.load({ partition, id: quota.id }).state, quota, step).grant);
  return { record, grants };
}

function takeAll(turn: WindowTurn, { record, partition, quotas }: Asked, step: Step): Admitted {
  const grants = quotas.map((quota) => {
    const key = { partition, id: quota.id };
    const { state, grant } = admitStep(turn.load(key).state, quota, step);
    if (grant.granted) turn.save(key, { expiresAtMs: (state.at(-2) ?? step.nowMs) + quota.windowMs, state });
    return grant;
  });
  return { record, grants };
}
