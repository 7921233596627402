import { expect, it } from "vitest";
import { Unavailable } from "../../../src/kit/trouble.ts";
import { reverseDns } from "../../../src/rules/envelope/reverse-dns.ts";
import { tellings, testRule } from "../../helpers/rule-tester.ts";

const dns = [
  "9.113.0.203.in-addr.arpa PTR alias.example",
  "9.113.0.203.in-addr.arpa PTR host.example",
  "host.example A 203.0.113.9",
  "alias.example A 192.0.2.1",
  "12.113.0.203.in-addr.arpa silence",
  "10.113.0.203.in-addr.arpa PTR alias.example",
];

testRule(reverseDns, {
  letsThrough: [
    ["an address with a name that leads back, though not its first", { dns }],
    ["one of our own hosts", { dns, ip: "203.0.113.11", relayNetwork: true }],
    ["anybody, where no DNS server is named", { ip: "203.0.113.11" }],
  ],
  catches: [
    ["an address without a name", { dns, ip: "203.0.113.11" }, "helo: note the client's address has no name"],
    [
      "a name that leads elsewhere",
      { dns, ip: "203.0.113.10" },
      "helo: note the name of the client's address leads elsewhere",
    ],
    ["silence", { dns, ip: "203.0.113.12" }, "helo: note DNS does not answer about the client's address"],
    [
      "an address without a name, where the operator refuses",
      { dns, ip: "203.0.113.11", options: { missing: "reject" } },
      "helo: reject reverse-dns",
    ],
    [
      "a name that leads elsewhere, where the operator refuses",
      { dns, ip: "203.0.113.10", options: { unconfirmed: "reject" } },
      "helo: reject reverse-dns",
    ],
  ],
});

it("waits for an answer that could refuse the mail", async () => {
  await expect(tellings(reverseDns, { dns, ip: "203.0.113.12", options: { missing: "reject" } })).rejects.toThrow(
    Unavailable,
  );
});
