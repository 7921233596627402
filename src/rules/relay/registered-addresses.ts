import { z } from "zod";
import type { Client, SendingAddress } from "../../mail/client.ts";
import { holds, longestWait, stateOf, usableFromMs, usableUntilMs } from "../../registers/sending-addresses.ts";
import { consequences } from "../consequence.ts";
import { defineRule, PASS, reject, skip } from "../define.ts";

export const registeredAddresses = defineRule({
  id: "relay/registered-addresses",
  title: "Mail comes from addresses that an authority knows",
  why: "Addresses of mail servers are registered before they are used: 20 days for the first, 30 for a change. A client with\nregistered addresses sends from them and no others, and only when their days are over; kinds of clients that a law\nnames must have some. All of it stands in the client's record.",
  sources: [{ cite: "Order 38 (CN 2006) art. 6", confidence: "C3" }],
  falseAlarms: [
    "A server that moved: consentry client address add ID NETWORK --authority WHO, 30 days before",
    "A client registered as email-provider that has no servers: consentry client set ID --kind isp-customer",
  ],
  options: z.strictObject({}),
  looks: {
    mail({ session }, { packsUnder, clock }) {
      const { client, clientIp } = session;
      if (!client) return skip("no client");
      const packs = packsUnder(session).filter(({ addresses }) => addresses);
      const own = sourcesOf(client);
      if (own.length === 0 && !packs.some(({ addresses }) => addresses?.kinds.includes(client.kind))) return PASS;
      const days = longestWait(packs.map(({ addresses }) => addresses));
      const near = own.filter((address) => holds(address, clientIp));
      if (near.some((address) => stateOf(address, days, clock.now()) === "usable")) return PASS;
      const detail = wordsFor(near, own.length, (address) =>
        stateOf(address, days, clock.now()) === "not-yet"
          ? `yours may be used from ${dayOf(usableFromMs(address, days))}`
          : `yours ended on ${dayOf((usableUntilMs(address) ?? 0) - 1)}`,
      );
      const evidence = { client: client.id, registered: own.length, state: detail };
      if (packs.length === 0) return reject("address-unregistered", { detail, evidence });
      const demands = packs.flatMap((pack) => (pack.addresses ? [{ pack, requirement: pack.addresses }] : []));
      return consequences(session, demands, {
        reply: "address-unregistered",
        reason: "not a registered address",
        detail,
        evidence,
      });
    },
  },
});

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

const sourcesOf = ({ addresses }: Client): readonly SendingAddress[] =>
  addresses === undefined ? [] : addresses.filter(({ use }) => use === "source");

function wordsFor(near: readonly SendingAddress[], all: number, tell: (address: SendingAddress) => string): string {
  const [first] = near;
  if (first) return tell(first);
  return all === 0 ? "none is registered for you" : "yours is none of them";
}
