/**
 * What was taught, as every mail needs it: at hand. The store is asked for the version at most every few seconds and beside
 * the mail, the records are read when it changed, the correction is fitted anew. While the store is away, what was known
 * last holds.
 */
import type { Clock } from "../kit/clock.ts";
import { Unavailable } from "../kit/trouble.ts";
import { type Learned, learnFrom, UNTAUGHT } from "./learned.ts";
import type { LessonRegister } from "./lessons.ts";
import type { Model } from "./model.ts";
import { type Reports, readReports } from "./reports.ts";

export interface Taught {
  readonly learned: Learned;
  readonly reportersOf: Reports["reportersOf"];
}

export interface Teachings {
  /** At once, except for the first mail of all, which waits until the store has answered or failed. */
  current(): Taught | Promise<Taught>;
}

const NOTHING: Taught = Object.freeze({ learned: UNTAUGHT, reportersOf: () => 0 });

/** How old what is known may get before the store is asked. */
const REFRESH_MS = 5_000;
const DAY_MS = 86_400_000;
/** How long a recipient's report counts. */
const REPORT_DAYS = 30;

export interface TeachingParts {
  readonly lessons: Pick<LessonRegister, "version" | "list">;
  readonly model: Model;
  readonly clock: Clock;
  readonly reportersMin: number;
  /** Something else than the store being away: a bug, or a record that cannot be read. */
  readonly onFault: (error: unknown) => void;
}

export function createTeachings({ lessons, model, clock, reportersMin, onFault }: TeachingParts): Teachings {
  let taught: Taught | undefined;
  let version = -1;
  let askedAtMs = 0;
  let asking: Promise<Taught> | undefined;

  const read = async (): Promise<Taught> => {
    const latest = await lessons.version();
    if (taught && latest === version) return taught;
    const records = latest === 0 ? [] : await lessons.list();
    const reports = readReports(records, { reportersMin, sinceMs: clock.now() - REPORT_DAYS * DAY_MS });
    const all = [...records.filter(({ reporter }) => reporter === undefined), ...reports.lessons];
    const learned = await learnFrom(all, model);
    version = latest;
    return { learned, reportersOf: reports.reportersOf };
  };
  const ask = async (): Promise<Taught> => {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof Unavailable)) onFault(error);
      return taught ?? NOTHING;
    }
  };
  return {
    current() {
      const nowMs = clock.now();
      if (!asking && (!taught || Math.abs(nowMs - askedAtMs) >= REFRESH_MS)) {
        askedAtMs = nowMs;
        asking = ask().then((found) => {
          asking = undefined;
          taught = found;
          return found;
        });
      }
      return taught ?? asking ?? NOTHING;
    },
  };
}
