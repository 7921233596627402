import { z } from "zod";
import { defineRule, PASS, reject, skip } from "../define.ts";

export const suspendedOptions = z.strictObject({
  complaintsPercent: z
    .number()
    .positive()
    .max(100)
    .default(0.3)
    .describe("spam reports for each hundred delivered advertisements from which a client is suspended"),
  complaintsMin: z
    .int()
    .positive()
    .max(1_000_000)
    .default(5)
    .describe("fewer reports suspend nobody, whatever share they are"),
  windowDays: z.int().positive().max(90).default(7).describe("reports and deliveries of so many days count"),
  suspendDays: z.int().positive().max(365).default(7).describe("how long complaints suspend a client"),
});

export const suspended = defineRule({
  id: "relay/suspended",
  title: "A suspended client sends nothing",
  why: "Who provides mail looks into complaints about his own service at once and acts. An operator suspends a client with a reason\nand an end (consentry client suspend), and so does a share of spam reports that is too high. It stands in the client's\nrecord, so it always knows.",
  sources: [
    { cite: "Order 38 (CN 2006) art. 16(3)", confidence: "doc" },
    { cite: "Google sender guidelines (spam rate)", confidence: "C2" },
  ],
  falseAlarms: ["Reports of a few who had subscribed and forgot: consentry client resume ID"],
  options: suspendedOptions,
  looks: {
    mail({ session: { client } }, { clock }) {
      if (!client?.suspended) return client ? PASS : skip("no client");
      const { reason, untilMs, by } = client.suspended;
      if (untilMs <= clock.now()) return PASS;
      const until = `${new Date(untilMs).toISOString().slice(0, 16)}Z`;
      return reject("client-suspended", {
        detail: `from ${until}. The reason: ${reason}`,
        evidence: { client: client.id, reason, until, by },
      });
    },
  },
});
