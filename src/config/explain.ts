import { z } from "zod";

/** The page behind a refusal's id. */
export const explain = z.strictObject({
  perMinuteMax: z
    .int()
    .min(0)
    .max(10_000)
    .default(60)
    .describe("looks into the ledger a minute that the http door makes for /explain/ID; 0: there is no such page"),
  link: z
    .boolean()
    .default(false)
    .describe("refusals name refusals.publicUrl/explain/ID instead of the id alone (needs refusals.publicUrl)"),
});
