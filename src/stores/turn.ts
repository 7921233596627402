import type { Admission, Admissions, Admitted } from "../kit/store.ts";
import { checkAmount, checkQuota } from "./window-state.ts";

/** One record that somebody asks about, and who waits for it. */
export interface Question {
  readonly table: string;
  readonly n: number;
  readonly admission: Admission;
  readonly resolve: (admitted: Admitted) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Admissions whose questions of one turn of the event loop go to the store together: many mails at a time cost little more than one.
 *
 * @param answer is given questions of one table and one amount; settles every one of them and never throws
 */
export function gatherAdmissions(answer: (questions: readonly Question[]) => void): Admissions {
  let waiting: Question[] = [];
  const flush = (): void => {
    const all = waiting;
    waiting = [];
    const [first] = all;
    if (!first) return;
    // Most turns ask one thing.
    if (all.every(({ table, n }) => n === first.n && table === first.table)) return answer(all);
    for (const questions of Map.groupBy(all, ({ table, n }) => `${n} ${table}`).values()) answer(questions);
  };
  return {
    async admit(table, admissions, n) {
      checkAmount(n);
      for (const { quotas } of admissions) for (const quota of quotas) checkQuota(quota);
      if (admissions.length > 0 && waiting.length === 0) setImmediate(flush);
      const ask = (admission: Admission): Promise<Admitted> =>
        new Promise((resolve, reject) => {
          waiting.push({ table, n, admission, resolve, reject });
        });
      const [only] = admissions;
      return admissions.length === 1 && only ? [await ask(only)] : Promise.all(admissions.map(ask));
    },
  };
}
