import type { SendingAddress } from "../../../src/mail/client.ts";
import { registeredAddresses } from "../../../src/rules/relay/registered-addresses.ts";
import { packOf } from "../../helpers/described.ts";
import { testRule } from "../../helpers/rule-tester.ts";

/** Today is 2026-11-22: twenty days ago was 11-02, thirty days ago 10-23. */
const at = (registeredOn: string, more: Partial<SendingAddress> = {}): SendingAddress => ({
  network: "203.0.113.0/28",
  use: "source",
  authority: "MIIT",
  registeredOn,
  ...more,
});
const from = (ip: string, ...addresses: readonly SendingAddress[]) => ({ ip, client: { addresses } });
const caught = "mail: reject address-unregistered";
const vietnam = { packs: [packOf("vn-2008")] };

testRule(registeredAddresses, {
  letsThrough: [
    ["a stranger", {}],
    ["a client without registered addresses", { client: {} }],
    ["an address whose twenty days are over today", from("203.0.113.9", at("2026-11-02"))],
    ["a change whose thirty days are over today", from("203.0.113.9", at("2026-10-23", { change: true }))],
    ["an address on its last day", from("203.0.113.9", at("2026-01-01", { endsOn: "2026-11-22" }))],
    [
      "a client of which only addresses of ours are registered",
      from("203.0.113.9", at("2026-11-22", { use: "egress" })),
    ],
    [
      "an address that is held twice, once in time",
      from("203.0.113.9", at("2026-11-22", { change: true }), at("2026-01-01", { network: "203.0.113.9" })),
    ],
    [
      "a change reported five days ago in Vietnam",
      { ...vietnam, ...from("203.0.113.9", at("2026-11-17", { change: true })) },
    ],
    [
      "under laws that name no days, from the first",
      { packs: [packOf("eu")], ...from("203.0.113.9", at("2026-11-22")) },
    ],
  ],
  catches: [
    ["an address that is none of them", from("203.0.113.16", at("2026-01-01")), caught],
    ["an address over IPv6 that is none of them", from("2001:db8::1", at("2026-01-01")), caught],
    ["an address whose days are over tomorrow", from("203.0.113.9", at("2026-11-03")), caught],
    ["a change whose days are over tomorrow", from("203.0.113.9", at("2026-10-24", { change: true })), caught],
    ["an address that ended yesterday", from("203.0.113.9", at("2026-01-01", { endsOn: "2026-11-21" })), caught],
    ["a bounce from an address that is none of them", { ...from("203.0.113.16", at("2026-01-01")), from: "" }, caught],
    ["a mail service without any", { client: { kind: "email-provider" } }, caught],
    [
      "a change reported four days ago in Vietnam",
      { ...vietnam, ...from("203.0.113.9", at("2026-11-18", { change: true })) },
      caught,
    ],
    [
      "under laws that name no days, an address that is none",
      { packs: [packOf("eu")], ...from("203.0.113.16", at("2026-01-01")) },
      caught,
    ],
  ],
});
