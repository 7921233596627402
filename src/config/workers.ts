import { availableParallelism } from "node:os";
import type { Config } from "./schema.ts";

/** How many processes `workers` means on this machine. */
export const workersOf = ({ workers }: Pick<Config, "workers">): number =>
  workers === "auto" ? availableParallelism() : workers;
