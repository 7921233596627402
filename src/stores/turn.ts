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
  const begin = (): void => {
    if (waiting.length === 0) setImmediate(flush);
  };
  return {
    admit(table, admissions, n) {
      return new Promise<Admitted[]>((resolve, reject) => {
        checkAmount(n);
        for (const { quotas } of admissions) for (const quota of quotas) checkQuota(quota);
        const answers: Admitted[] = [];
        let open = admissions.length;
        if (open === 0) return resolve(answers);
        begin();
        for (const [index, admission] of admissions.entries()) {
          const settle = (admitted: Admitted): void => {
            answers[index] = admitted;
            open -= 1;
            if (open === 0) resolve(answers);
          };
          waiting.push({ table, n, admission, resolve: settle, reject });
        }
      });
    },
  };
}
