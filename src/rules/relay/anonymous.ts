import { z } from "zod";
import { isPostmaster } from "../../mail/postmaster.ts";
import type { Recipient } from "../../mail/views.ts";
import { isOwn } from "../../mail/views.ts";
import { defineRule, PASS, reject } from "../define.ts";

export const anonymous = defineRule({
  id: "relay/anonymous",
  title: "Nobody unknown relays",
  why: "Order 38 tells providers to switch anonymous relaying off. A stranger may write to our own domains only, and not\nthrough an address that hides a further destination. Needs nothing from outside, so it always knows.",
  sources: [
    { cite: "Order 38 (CN 2006) art. 7", confidence: "C2" },
    { cite: "YD/T 1311-2004 cl. 7.1", confidence: "C3" },
    { cite: "RFC 5321 7.1", confidence: "RFC" },
  ],
  falseAlarms: [
    "A host of your own that is missing in relayNetworks",
    "A local mailbox whose name really holds % or !",
  ],
  options: z.strictObject({
    /** Characters in a stranger's local part that some servers read as a further route. */
    routeCharacters: z
      .string()
      .default("%!@:|/")
      .describe("characters that hide a further destination in a local part"),
  }),
  looks: {
    mail({ session }) {
      if (session.role === "mx" || isOwn(session)) return PASS;
      return reject("login-required", { evidence: { role: session.role } });
    },
    rcpt({ session, recipient }, { site, options }) {
      if (isOwn(session) || isPostmaster(recipient, site.isLocal)) return PASS;
      const evidence = { domain: recipient.address.domain };
      if (!site.isLocal(recipient.address.domain)) return reject("relay-denied", { evidence });
      return hidesRoute(recipient, options.routeCharacters) ? reject("relay-path-tricks", { evidence }) : PASS;
    },
  },
});

/** `a%b@c`, `a!b`, `"a@b"@c`, `@x,@y:a@b`: all once meant "and from there on to". */
function hidesRoute({ address, sourceRoute }: Recipient, characters: string): boolean {
  if (sourceRoute !== undefined) return true;
  for (const char of address.local) if (characters.includes(char)) return true;
  return false;
}
