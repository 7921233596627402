import { availableParallelism } from "node:os";
import type { Config } from "./schema.ts";

/**
 * How many processes `workers` means on this machine. `auto` leaves half of the processors to the mail servers in front and behind, the store
 * and whoever delivers: with as many workers as processors each has less company for its flushes and turns, and all of them together relay
 * less (docs/performance.md).
 */
export const workersOf = ({ workers }: Pick<Config, "workers">): number =>
  workers === "auto" ? Math.ceil(availableParallelism() / 2) : workers;
