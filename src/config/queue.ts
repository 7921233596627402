import { z } from "zod";
import { delivering } from "./delivering.ts";
import { count, minutes, timeoutUpTo } from "./values.ts";

const waits = (fallback: readonly number[]) =>
  z
    .array(z.int().positive().max(604_800))
    .min(1)
    .max(50)
    .default([...fallback]);

/** The section about mail in our custody; in force with `nextHop.mode: queue`. */
export const queue = z.strictObject({
  retrySeconds: waits([1_800, 1_800, 3_600, 7_200, 10_800]).describe(
    "waits between attempts of one mail, seconds; the last one repeats (RFC 5321 4.5.4.1)",
  ),
  destinationRetrySeconds: waits([30, 60, 300, 900, 1_800]).describe(
    "how long a destination that does not answer is left alone, for all its mails, seconds; the last one repeats",
  ),
  jitter: z.number().min(0).max(0.9).default(0.15).describe("each wait is longer or shorter by up to this part of it"),
  lifetimeHours: count(120, 8_760).describe("a mail that could not be delivered so long is given up, hours"),
  delayNoticeHours: z
    .int()
    .min(0)
    .max(8_760)
    .default(4)
    .describe("a client is told of a delay after so many hours; 0: never"),
  deliveriesMax: count(200, 10_000).describe("mails that are tried at a time, by each process that delivers"),
  attemptMaxMs: timeoutUpTo(minutes(60), minutes(30)).describe("longest time one attempt may take"),
  processes: z
    .int()
    .min(0)
    .max(64)
    .default(1)
    .describe("processes that deliver, beside those that take mail in; 0: those do both"),
  inlineBytesMax: count(524_288, 2 ** 30).describe(
    "larger contents lie in files of their own beside the queue's database, bytes",
  ),
  reserveMb: count(256, 1_048_576).describe("kept free on the disk of dataDir; below that no mail is taken in, MB"),
  mailsMax: count(5_000_000, 1_000_000_000).describe("most mails in the queue; above that none is taken in"),
  timeoutMs: timeoutUpTo(minutes(10), 10_000).describe("longest wait for one write to the queue's disk"),
  holdDays: z
    .int()
    .min(7)
    .max(3_650)
    .default(7)
    .describe(
      "a mail that is held and not released is deleted after so many days; at least 7 (Circular 12/2008 V.1.2c)",
    ),
  ...delivering,
  holdNotice: z.boolean().default(false).describe("a client is told when a mail of his that was held is deleted"),
});
