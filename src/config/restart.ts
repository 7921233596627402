import type { Config } from "./schema.ts";

/** What a running relay cannot put in another's place: doors that are open, the store that is open, the processes there are. */
const AT_START = [
  "listeners",
  "workers",
  "store",
  "dataDir",
  "secretFile",
  "log",
] as const satisfies readonly (keyof Config)[];

/** Keys that differ and wait for a restart, for whoever reloads. */
export const waitingForRestart = (before: Config, after: Config): string[] =>
  AT_START.filter((key) => JSON.stringify(before[key]) !== JSON.stringify(after[key]));
