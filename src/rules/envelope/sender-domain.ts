import { z } from "zod";
import { canReceive } from "../../authenticity/reverse.ts";
import type { Names } from "../../kit/names.ts";
import { isOwn } from "../../mail/views.ts";
import { defineRule, type Finding, note, PASS, reject, skip } from "../define.ts";

export const senderDomain = defineRule({
  id: "envelope/sender-domain",
  title: "The sender's domain can be answered",
  why: "A domain that does not exist or receives no mail (RFC 7505) cannot be the sender's: it is invented, and the true sender is hidden.\nBounces would have nowhere to go. When DNS does not answer, the mail waits at its sender.",
  sources: [
    { cite: "Order 38 (CN 2006) art. 13(1)", confidence: "C5" },
    { cite: "RFC 5321 2.3.5", confidence: "RFC" },
    { cite: "RFC 7505 4.1", confidence: "RFC" },
  ],
  falseAlarms: [
    "A new domain whose records have not reached your resolver",
    "Programs that send from a host name without MX or address",
  ],
  options: z.strictObject({
    missing: z
      .enum(["reject", "note"])
      .default("reject")
      .describe("what follows when the domain has no MX, A or AAAA record"),
    nullMx: z.enum(["reject", "note"]).default("reject").describe("what follows when it says that it receives no mail"),
  }),
  looks: {
    mail({ session, sender }, { names, options, site }) {
      if (isOwn(session)) return skip("one of our own");
      if (!names) return skip("no DNS server is named in dns.servers");
      const domain = sender.address?.domain ?? "";
      if (domain === "" || domain.startsWith("[") || site.isLocal(domain)) return PASS;
      const asking = names.within(sender);
      // A domain in use is known: no wait, no timer.
      if (asking.known(domain, "MX")?.records.some(({ host }) => host !== "")) return PASS;
      return judge(asking, domain, options);
    },
  },
});

async function judge(
  names: Names,
  domain: string,
  options: { missing: "reject" | "note"; nullMx: "reject" | "note" },
): Promise<Finding> {
  const answer = await canReceive(names, domain);
  if (answer === "yes") return PASS;
  const evidence = { domain };
  const isNull = answer === "null-mx";
  if ((isNull ? options.nullMx : options.missing) === "reject") {
    return reject(isNull ? "sender-null-mx" : "sender-domain", { evidence });
  }
  return note(isNull ? "the sender's domain receives no mail" : "the sender's domain has no MX, A or AAAA", {
    evidence,
  });
}
