import type { Clock } from "../kit/clock.ts";
import type { Log } from "../kit/log.ts";
import type { Store } from "../kit/store.ts";
import type { Recorder } from "../ledger/recorder.ts";
import { type Conduct, type ConductSettings, createConduct } from "../signals/conduct.ts";
import { blockEntry } from "./block-entry.ts";

interface Watching {
  readonly clock: Clock;
  readonly log: Log;
  readonly store: Store;
  readonly recorder: Recorder;
}

/** Counts how everybody behaves; a block that follows is written down, and a login that is held is named in the log. */
export function watchConduct({ clock, log, store, recorder }: Watching, settings: () => ConductSettings): Conduct {
  return createConduct({
    store,
    clock,
    settings,
    pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    onTrouble: (error) => log.warn({ err: error }, "conduct could not be counted"),
    async onBlock(block, facts) {
      const entry = blockEntry("block-added", block, block.by, facts);
      log.warn({ client: entry.client, reason: block.reason, until: entry.evidence?.until }, "blocked");
      await recorder.record([entry]);
    },
  });
}
