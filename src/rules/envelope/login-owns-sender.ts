import { z } from "zod";
import type { Address } from "../../mail/address.ts";
import type { Client } from "../../mail/client.ts";
import { type DomainList, domainList } from "../../mail/domains.ts";
import { addressesIn } from "../../mail/mailboxes.ts";
import { defineRule, type Finding, PASS, reject, skip } from "../define.ts";

export const loginOwnsSender = defineRule({
  id: "envelope/login-owns-sender",
  title: "MAIL FROM, From and Sender belong to the client",
  why: "Envelope information may not be forged or hidden. A client writes in the names of the domains registered for it and in\nno others; the null reverse-path of bounces is nobody's name and passes.",
  sources: [
    { cite: "Order 38 (CN 2006) art. 13(1)", confidence: "C5" },
    { cite: "RFC 6409 6.1", confidence: "RFC" },
  ],
  falseAlarms: ["A domain of the client that was never registered: consentry client set ID --domain NAME"],
  options: z.strictObject({
    headers: z.boolean().default(true).describe("From and Sender are checked too, not only MAIL FROM"),
  }),
  looks: {
    mail({ session, sender }) {
      if (!session.client) return skip("no client");
      return sender.address ? judge(session.client, [sender.address], "MAIL FROM") : PASS;
    },
    header({ session, headers }, { options }) {
      if (!session.client || !options.headers) return skip("no client");
      for (const name of ["from", "sender"]) {
        const named = addressesIn(headers, name);
        const finding = judge(session.client, named, name);
        if (finding.kind !== "pass") return finding;
      }
      return PASS;
    },
  },
});

function judge(client: Client, addresses: readonly Address[], where: string): Finding {
  const owned = domainsOf(client);
  const foreign = addresses.find((address) => !owned.has(address.domain));
  if (!foreign) return PASS;
  return reject("sender-not-yours", {
    detail: `not ${foreign.domain} in ${where}`,
    evidence: { client: client.id, domain: foreign.domain, where },
  });
}

const compiled = new WeakMap<Client, DomainList>();

function domainsOf(client: Client): DomainList {
  let list = compiled.get(client);
  if (!list) {
    list = domainList(client.domains);
    compiled.set(client, list);
  }
  return list;
}
