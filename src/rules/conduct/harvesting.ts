import { z } from "zod";
import { parseAddress } from "../../mail/path.ts";
import { defer, defineRule, note, PASS } from "../define.ts";

const count = (fallback: number) => z.int().positive().max(1_000_000).default(fallback);
const span = (fallbackMs: number, maxMs: number) => z.int().positive().max(maxMs).default(fallbackMs);
const DAY_MS = 86_400_000;

/** Also what the watch over recipients goes by (signals/recipients.ts). */
export const harvestOptions = z.strictObject({
  windowMs: span(3_600_000, DAY_MS).describe("over how long recipients are counted"),
  unknownMin: count(10).describe("so many unknown recipients make suspect"),
  unknownShare: z.number().min(0.01).max(1).default(0.5).describe("when they are at least this share of all"),
  similarMin: count(6).describe("so many similar unknown ones do too, whatever their share"),
  networkFactor: count(4).describe(
    "the network around (/24, /48) is suspect from so many times unknownMin or similarMin",
  ),
  delayMs: span(1_000, 60_000).describe("answers of a suspect come on beats of this length, growing"),
  delayMaxMs: span(20_000, 120_000).describe("longest beat"),
  turnAwayAt: z.number().min(1).max(100).default(2).describe("times the threshold from which it hears 421"),
  blockAt: z.number().min(1).max(100).default(3).describe("times the threshold from which it is blocked"),
  blockMs: span(3_600_000, 30 * DAY_MS).describe("length of the first block; each that follows is twice as long"),
  blockMaxMs: span(DAY_MS, 365 * DAY_MS).describe("longest block"),
  traps: z
    .array(
      z
        .string()
        .refine((text) => parseAddress(text) !== undefined, "local-part@domain")
        .transform((text) => parseAddress(text)?.key ?? text),
    )
    .max(100_000)
    .default([])
    .describe("addresses nobody was ever given: one mail to them blocks at once"),
});

export const harvesting = defineRule({
  id: "conduct/harvesting",
  title: "Nobody tries addresses out",
  why: "Sending to addresses that were gathered online or made of random letters and numbers is forbidden. Many unknown\nrecipients, runs of similar ones or a trap address slow a sender down, then end its connections, then block it for a\ntime. From then on existing and unknown mailboxes are answered alike. Counts that the store cannot take are not made up.",
  sources: [
    { cite: "Order 38 (CN 2006) art. 12(2)", confidence: "C3" },
    { cite: "RFC 5321 7.3", confidence: "RFC" },
  ],
  falseAlarms: [
    "A mailing list that was not cleaned for years",
    "A forwarder that sends everything for a domain on, whoever it is for",
    "A proxy in front that does not say who the client is",
  ],
  options: harvestOptions,
  looks: {
    rcpt({ session }, { conduct, options }) {
      const { score, ...evidence } = conduct.suspicion(session);
      if (score < 1) return PASS;
      if (score < options.turnAwayAt) return note("many recipients that do not exist", { evidence });
      return defer("harvesting", { evidence });
    },
  },
});
