import type { Clock } from "../kit/clock.ts";
import type { Ids } from "../kit/ids.ts";
import { createClockWatch } from "./clock-state.ts";
import type { Entry } from "./entry.ts";
import type { EventName } from "./events.ts";
import type { Journal, Urgency } from "./journal.ts";

/** What the caller knows; id and time are given here, so that they rise together. */
export type Happening = Omit<Entry, "id" | "at"> & { readonly event: EventName };

/** Writes the ledger. */
export interface Recorder {
  /**
   * Durable when it resolves: whoever answers a client awaits this first.
   * @throws Unavailable("ledger") when it cannot be written; then nothing may be accepted
   */
  record(happenings: readonly Happening[], when?: Urgency): Promise<void>;
}

export function createRecorder(journal: Journal, ids: Ids, clock: Clock): Recorder {
  const clockState = createClockWatch(clock);
  return {
    record: (happenings, when = "now") => {
      const at = clock.now();
      const state = clockState(at);
      return journal.append(
        happenings.map((happening) => {
          const id = ids.next();
          return state ? { id, at, ...happening, clock: state } : { id, at, ...happening };
        }),
        when,
      );
    },
  };
}
