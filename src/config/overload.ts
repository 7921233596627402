import { z } from "zod";
import { count, minutes, timeoutUpTo } from "./values.ts";

/** From twice as much on clients are put off, too, from four times (memory: 110 and 120 %) connections are turned away. */
export const overload = z.strictObject({
  eventLoopLagMs: timeoutUpTo(minutes(1), 500).describe(
    "how late a worker's event loop may be; the middle of a second counts",
  ),
  memoryMb: count(1_536, 1_048_576).describe("memory of one worker"),
  diskFreeMb: z
    .int()
    .min(0)
    .max(1_048_576)
    .default(200)
    .describe("what has to be free on the disk of dataDir; 0: not looked at"),
});
