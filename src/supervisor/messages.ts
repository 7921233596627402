/** What supervisor and workers say to each other, over the channel that a child process has to its parent. */

/** Open connections of client addresses, as they are now; 0: none any more. */
export type Counts = readonly (readonly [ip: string, count: number])[];

/** To a worker. One with an `id` is answered by `done` with the same. */
export type Order =
  | { readonly order: "start"; readonly worker: number; readonly path: string; readonly text: string }
  | { readonly order: "prepare"; readonly id: number; readonly text: string }
  | { readonly order: "commit"; readonly id: number }
  | { readonly order: "drop"; readonly id: number }
  | { readonly order: "elsewhere"; readonly counts: Counts }
  | { readonly order: "stop" };

/** An order that is answered, without its id. */
export type Question =
  | { readonly order: "prepare"; readonly text: string }
  | { readonly order: "commit" }
  | { readonly order: "drop" };

/** From a worker. */
export type Report =
  | { readonly report: "ready"; readonly addresses: readonly string[]; readonly nextHop: string }
  /** It cannot go on; `misuse`: whoever started it can mend that. */
  | { readonly report: "failed"; readonly why: string; readonly misuse: boolean }
  | { readonly report: "done"; readonly id: number; readonly problem?: string }
  | { readonly report: "connections"; readonly counts: Counts }
  /** Its event loop turns. */
  | { readonly report: "pulse" };

/** Between two pulses of a worker. */
export const PULSE_MS = 5_000;
