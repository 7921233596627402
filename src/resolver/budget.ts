import type { Clock } from "../kit/clock.ts";
import { withDeadline } from "../kit/deadline.ts";
import type { KnowingNames } from "../kit/names.ts";
import { Unavailable } from "../kit/trouble.ts";

export interface Budget {
  /** Most questions of one mail, answered from the cache or not. */
  readonly questionsMax: number;
  /** Longest time one mail waits for answers, all its waits together, ms. */
  readonly waitMs: number;
}

/** What one mail has spent. */
interface Account {
  questions: number;
  waitedMs: number;
  /** Questions it waits for now, and since when at least one. */
  open: number;
  sinceMs: number;
}

/** Gives each mail its own bounded view of the names. What it may cost is forgotten with the mail. */
export function createBudgets(names: KnowingNames, budget: Budget, clock: Clock): (scope: object) => KnowingNames {
  const accounts = new WeakMap<object, Account>();
  const nowMs = (): number => clock.steadyMs?.() ?? clock.now();
  return (scope) => ({
    known: names.known,
    async ask(name, type) {
      let account = accounts.get(scope);
      if (!account) {
        account = { questions: 0, waitedMs: 0, open: 0, sinceMs: 0 };
        accounts.set(scope, account);
      }
      account.questions += 1;
      const leftMs = budget.waitMs - account.waitedMs;
      if (account.questions > budget.questionsMax || leftMs <= 0) {
        throw new Unavailable("dns", "this mail has asked as much as one mail may");
      }
      const known = names.known(name, type);
      if (known) return known;
      if (account.open === 0) account.sinceMs = nowMs();
      account.open += 1;
      try {
        return await withDeadline(names.ask(name, type), leftMs, "dns", type);
      } finally {
        account.open -= 1;
        if (account.open === 0) account.waitedMs += nowMs() - account.sinceMs;
      }
    },
  });
}
