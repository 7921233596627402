import { z } from "zod";
import { orSilence, reverseNameOf } from "../../authenticity/reverse.ts";
import { isOwn } from "../../mail/views.ts";
import { defineRule, note, reject, skip } from "../define.ts";

const consequence = z.enum(["reject", "note"]);

export const reverseDns = defineRule({
  id: "envelope/reverse-dns",
  title: "The client's address has a name that leads back to it",
  why: "A host that sends mail for others has a name in DNS, and the name has the address. Where there is none, the origin of the mail\nis hidden. Asked once for each connection; what follows is the operator's choice, for many honest hosts are set up carelessly.",
  sources: [
    { cite: "Order 38 (CN 2006) art. 13(1)", confidence: "C5" },
    { cite: "RFC 8601 2.7.3", confidence: "RFC" },
  ],
  falseAlarms: ["Small firms whose provider never entered a PTR record", "Hosts behind NAT with a name of their own"],
  options: z.strictObject({
    missing: consequence
      .default("note")
      .describe("what follows when the address has no name (many large providers refuse)"),
    unconfirmed: consequence.default("note").describe("what follows when its names lead elsewhere"),
  }),
  looks: {
    async helo({ session }, { names, options }) {
      if (isOwn(session)) return skip("one of our own");
      if (!names) return skip("no DNS server is named in dns.servers");
      const couldRefuse = options.missing === "reject" || options.unconfirmed === "reject";
      const found = await orSilence(reverseNameOf(names.within(session), session.clientIp), couldRefuse);
      if (found === "silence") return note("DNS does not answer about the client's address");
      const { result, name } = found;
      const evidence = { iprev: result, ...(name !== undefined && { reverseName: name }) };
      if (result === "pass") return { kind: "pass", evidence };
      const [demanded, reason] =
        result === "none"
          ? [options.missing, "the client's address has no name"]
          : [options.unconfirmed, "the name of the client's address leads elsewhere"];
      return demanded === "reject" ? reject("reverse-dns", { evidence }) : note(reason, { evidence });
    },
  },
});
