import { z } from "zod";
import { parseDomain } from "../../mail/path.ts";
import { isOwn } from "../../mail/views.ts";
import { defineRule, note, PASS, reject, skip } from "../define.ts";

/** A name has a dot, and a letter in its last label: "192.0.2.1" is none. */
const NAME = /\.(?!\d+$)[^.]+$/;

const literalOf = (ip: string): string => (ip.includes(":") ? `[IPv6:${ip}]` : `[${ip}]`);

export const helo = defineRule({
  id: "envelope/helo",
  title: "HELO is a name, and not ours",
  why: "HELO is envelope information. A stranger that greets with our own name or address forges it; text that is no name at all is\nrefused. A name without a dot, or a literal of another address, is noted: RFC 5321 4.1.4 forbids refusing for that.",
  sources: [
    { cite: "Order 38 (CN 2006) art. 13(1)", confidence: "C5" },
    { cite: "RFC 5321 4.1.1.1", confidence: "RFC" },
  ],
  falseAlarms: ["Behind NAT, a host of your own may greet with the public name: put it in relayNetworks"],
  options: z.strictObject({}),
  looks: {
    helo({ session }, { site }) {
      if (isOwn(session)) return skip("one of our own");
      const name = session.helo;
      if (name === undefined) return skip("no HELO yet");
      const domain = parseDomain(name);
      if (domain === undefined) return reject("helo-shape", { evidence: { length: name.length } });
      if (domain === site.hostname || site.isLocal(domain))
        return reject("helo-forged", { evidence: { helo: domain } });
      if (!domain.startsWith("[")) return NAME.test(domain) ? PASS : note("HELO is no full domain name");
      if (domain === literalOf(session.clientIp)) return PASS;
      return domain === literalOf(session.serverIp)
        ? reject("helo-forged", { evidence: { helo: domain } })
        : note("HELO is the literal of another address");
    },
  },
});
