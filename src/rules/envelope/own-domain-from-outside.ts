import { z } from "zod";
import { addressesIn } from "../../mail/mailboxes.ts";
import { isOwn } from "../../mail/views.ts";
import { defineRule, note, PASS, reject, skip } from "../define.ts";

export const ownDomainFromOutside = defineRule({
  id: "envelope/own-domain-from-outside",
  title: "A stranger does not write in our name",
  why: "Envelope information may not be forged, and in Order 38 that takes in the headers (art. 26). A host that is no client\nof ours cannot send as one of our domains, neither in MAIL FROM nor in From.",
  sources: [
    { cite: "Order 38 (CN 2006) art. 13(1)", confidence: "C5" },
    { cite: "RFC 5321 7.1", confidence: "RFC" },
  ],
  falseAlarms: [
    "A forwarder that keeps MAIL FROM: it should rewrite it (SRS)",
    "A mailing list that returns a member's own post: noted only when it carries List-Id",
  ],
  options: z.strictObject({
    fromHeader: z.enum(["reject", "note", "off"]).default("reject").describe("what a local domain in From leads to"),
    listsMayReturn: z.boolean().default(true).describe("only note it in mail that carries List-Id"),
  }),
  looks: {
    mail({ session, sender }, { site }) {
      if (isOwn(session)) return skip("one of our own");
      if (!sender.address || !site.isLocal(sender.address.domain)) return PASS;
      return reject("own-domain", { evidence: { domain: sender.address.domain, where: "MAIL FROM" } });
    },
    header({ session, headers }, { site, options }) {
      if (isOwn(session) || options.fromHeader === "off") return skip("one of our own");
      const claimed = addressesIn(headers, "from");
      const ours = claimed.find((address) => site.isLocal(address.domain));
      if (!ours) return PASS;
      const evidence = { domain: ours.domain, where: "From" };
      const returned = options.listsMayReturn && headers.first("list-id") !== undefined;
      return returned || options.fromHeader === "note"
        ? note("From names a local domain", { evidence })
        : reject("own-domain", { evidence });
    },
  },
});
