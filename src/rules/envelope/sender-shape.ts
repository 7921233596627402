import { z } from "zod";
import { defineRule, note, PASS, reject } from "../define.ts";

/** Octets (RFC 5321 4.5.3.1.1); real forwarders write longer ones, so that is only noted. */
const LOCAL_PART_MAX = 64;

/** Two labels at least; the last of a name has a letter in it, that of an address has none (RFC 3696 2). */
const FULL_NAME = /^[^[].*\.(?!\d+$)[^.]+$/;

export const senderShape = defineRule({
  id: "envelope/sender-shape",
  title: "MAIL FROM can be answered",
  why: "A hidden sender is one that nobody can answer: a bare word, an address literal, a route. The null reverse-path of\nbounces is no sender and passes.",
  sources: [
    { cite: "Order 38 (CN 2006) art. 13(1)", confidence: "C5" },
    { cite: "RFC 5321 4.1.2", confidence: "RFC" },
  ],
  falseAlarms: ["Devices in your own network that send as user@hostname: give them a full domain"],
  options: z.strictObject({
    routeCharacters: z.string().default("%!:|").describe("characters that make a local part a route"),
  }),
  looks: {
    mail({ sender }, { options }) {
      const address = sender.address;
      if (!address) return PASS;
      const evidence = { domain: address.domain };
      if (!FULL_NAME.test(address.domain)) return reject("sender-shape", { evidence });
      const route = [...address.local].some((char) => options.routeCharacters.includes(char));
      if (route || address.local.includes("@"))
        return reject("sender-shape", { evidence: { ...evidence, route: true } });
      return Buffer.byteLength(address.local) > LOCAL_PART_MAX ? note("local part longer than 64 octets") : PASS;
    },
  },
});
