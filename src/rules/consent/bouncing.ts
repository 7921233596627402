import { z } from "zod";
import { isAdSender } from "../../mail/client.ts";
import { defineRule, type Finding, PASS, reject, skip } from "../define.ts";

export const bouncing = defineRule({
  id: "consent/bouncing",
  title: "No advertising to an address from which it comes back",
  why: "Mail that comes back for good (no such mailbox) is counted with the recipient's consent; beyond a number the address gets\nno more of this advertiser's until a new consent is recorded. What the queue was told is counted, and what came back\nto its return addresses (envelopeRewriting.verp).\nRegister away: deferred, never passed.",
  sources: [
    { cite: "Order 38 (CN 2006) art. 12(2)", confidence: "C3" },
    { cite: "RFC 5321 6.1", confidence: "RFC" },
  ],
  falseAlarms: [
    "A mailbox that was away for a while and told so for good: consentry consent grant, with the old document",
  ],
  options: z.strictObject({
    bouncesMax: z.int().min(1).max(1_000).default(3).describe("from so many on, the address gets no more"),
  }),
  looks: {
    rcpt({ session: { client }, recipient }, { consents, options }) {
      if (!client || !isAdSender(client)) return skip("the client is no advertiser");
      return consents
        .standing(client.id, [recipient.address.key])
        .then(([standing]) => judge(client.id, standing?.bounces?.count ?? 0, options.bouncesMax));
    },
  },
});

const judge = (client: string, bounces: number, max: number): Finding =>
  bounces < max ? PASS : reject("recipient-bounces", { evidence: { client, bounces } });
