/** What supervisor and workers say to each other, over the channel that a child process has to its parent. */

import type { Snapshot } from "../metrics/meter.ts";

/** Open connections of client addresses, as they are now; 0: none any more. */
export type Counts = readonly (readonly [ip: string, count: number])[];

/** To a worker. One with an `id` is answered by `done` with the same. */
export type Order =
  | { readonly order: "start"; readonly worker: number; readonly path: string; readonly text: string }
  | { readonly order: "prepare"; readonly id: number; readonly text: string }
  | { readonly order: "commit"; readonly id: number }
  | { readonly order: "drop"; readonly id: number }
  | { readonly order: "elsewhere"; readonly counts: Counts }
  /** Tell your figures. */
  | { readonly order: "snapshot"; readonly id: number }
  /** Those of all, which you asked for with this id. */
  | { readonly order: "gathered"; readonly id: number; readonly snapshots: readonly Snapshot[] }
  | { readonly order: "stop" };

/** An order that is answered, without its id. */
export type Question =
  | { readonly order: "prepare"; readonly text: string }
  | { readonly order: "commit" }
  | { readonly order: "drop" }
  | { readonly order: "snapshot" };

/** From a worker. */
export type Report =
  | { readonly report: "ready"; readonly addresses: readonly string[]; readonly nextHop: string }
  /** It cannot go on; `misuse`: whoever started it can mend that. */
  | { readonly report: "failed"; readonly why: string; readonly misuse: boolean }
  | { readonly report: "done"; readonly id: number; readonly problem?: string; readonly snapshot?: Snapshot }
  /** It wants the figures of all. */
  | { readonly report: "gather"; readonly id: number }
  | { readonly report: "connections"; readonly counts: Counts }
  /** Its event loop turns. */
  | { readonly report: "pulse" };

/** Between two pulses of a worker. */
export const PULSE_MS = 5_000;
