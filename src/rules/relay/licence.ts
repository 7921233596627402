import { z } from "zod";
import type { Pack } from "../../law/pack.ts";
import { CLIENT_KINDS, type Client } from "../../mail/client.ts";
import { consequences } from "../consequence.ts";
import { defineRule, PASS, skip } from "../define.ts";

export const licence = defineRule({
  id: "relay/licence",
  title: "Who offers mail service has a permit or filing",
  why: "Access providers connect no e-mail service without permit or filing. Laws name the kinds of clients that need one; its\nnumber and days stand in the client's record. Whether a number is true no machine can tell.",
  sources: [
    { cite: "Order 38 (CN 2006) art. 5", confidence: "C3" },
    { cite: "Order 38 (CN 2006) art. 4", confidence: "C5" },
  ],
  falseAlarms: [
    "A client whose number was never recorded: consentry client set ID --licence NUMBER --licensed-on DAY",
    "A client registered as email-provider that only sends its own mail: consentry client set ID --kind isp-customer",
  ],
  options: z.strictObject({
    kinds: z.array(z.enum(CLIENT_KINDS)).default([]).describe("kinds that need a number besides those that laws name"),
  }),
  looks: {
    mail({ session }, { packsUnder, clock, options }) {
      const { client } = session;
      if (!client) return skip("no client");
      const packs = packsUnder(session);
      const needs = ({ licence }: Pack): boolean =>
        licence !== undefined && (licence.kinds.includes(client.kind) || options.kinds.includes(client.kind));
      if (!packs.some(needs)) return PASS;
      const missing = lackOf(client, clock.now());
      if (missing === undefined) return PASS;
      const demands = packs.flatMap((pack) =>
        pack.licence && needs(pack) ? [{ pack, requirement: pack.licence }] : [],
      );
      return consequences(session, demands, {
        reply: "licence-missing",
        reason: "no permit or filing",
        detail: missing,
        evidence: { client: client.id, kind: client.kind, missing },
      });
    },
  },
});

const DAY_MS = 86_400_000;

/** What is wrong with it, in words for the client; undefined: nothing. */
function lackOf({ licence: number, licensedOn, licensedUntil }: Client, nowMs: number): string | undefined {
  if (!number?.trim()) return "no number is recorded for you";
  if (licensedOn !== undefined && nowMs < Date.parse(licensedOn)) return `yours begins on ${licensedOn}`;
  if (licensedUntil !== undefined && nowMs >= Date.parse(licensedUntil) + DAY_MS)
    return `yours ended on ${licensedUntil}`;
  return undefined;
}
