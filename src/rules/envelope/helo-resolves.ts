import { z } from "zod";
import { hasAddress, orSilence } from "../../authenticity/reverse.ts";
import { isOwn } from "../../mail/views.ts";
import { defineRule, note, PASS, reject, skip } from "../define.ts";

/** A name with a dot and a letter in its last label: others are judged by their shape alone. */
const FULL_NAME = /^[^[].*\.(?!\d+\.?$)[^.]+\.?$/;

export const heloResolves = defineRule({
  id: "envelope/helo-resolves",
  title: "The name in HELO exists",
  why: "HELO names the sending host (RFC 5321 2.3.5: a name that can be resolved). A name that is not in DNS hides the host. Asked once for\neach connection and name; RFC 5321 4.1.4 lets a server only note it unless its operator decides otherwise.",
  sources: [
    { cite: "Order 38 (CN 2006) art. 13(1)", confidence: "C5" },
    { cite: "RFC 5321 2.3.5", confidence: "RFC" },
  ],
  falseAlarms: ["Honest hosts that greet with their internal name"],
  options: z.strictObject({
    missing: z.enum(["reject", "note"]).default("note").describe("what follows when the name has no address"),
  }),
  looks: {
    async helo({ session }, { names, options }) {
      if (isOwn(session)) return skip("one of our own");
      if (!names) return skip("no DNS server is named in dns.servers");
      const { helo = "" } = session;
      if (!FULL_NAME.test(helo)) return skip("HELO is no full name");
      const found = await orSilence(hasAddress(names.within(session), helo), options.missing === "reject");
      if (found === "silence") return note("DNS does not answer about the name in HELO");
      if (found) return PASS;
      const evidence = { helo };
      return options.missing === "reject"
        ? reject("helo-unknown", { evidence })
        : note("the name in HELO has no address", { evidence });
    },
  },
});
