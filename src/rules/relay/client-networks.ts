import { z } from "zod";
import { type IpRanges, ipRanges } from "../../kit/ip.ts";
import type { Client } from "../../mail/client.ts";
import { defineRule, PASS, reject, skip } from "../define.ts";

export const clientNetworks = defineRule({
  id: "relay/client-networks",
  title: "A client sends from its registered addresses",
  why: "Sending addresses are registered before they are used (Order 38 art. 6). A client with registered networks may not\nlog in from elsewhere: a stolen password alone relays nothing.",
  sources: [{ cite: "Order 38 (CN 2006) art. 6", confidence: "C3" }],
  falseAlarms: ["A client that travels: register no network for it and let it log in"],
  options: z.strictObject({}),
  looks: {
    mail({ session }) {
      const { client, login } = session;
      if (!client || login === undefined) return skip("no login");
      if (client.networks.length === 0 || rangesOf(client).has(session.clientIp)) return PASS;
      return reject("client-network", { evidence: { client: client.id, networks: client.networks.length } });
    },
  },
});

const compiled = new WeakMap<Client, IpRanges>();

function rangesOf(client: Client): IpRanges {
  let ranges = compiled.get(client);
  if (!ranges) {
    ranges = ipRanges(client.networks);
    compiled.set(client, ranges);
  }
  return ranges;
}
