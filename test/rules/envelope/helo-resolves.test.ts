import { expect, it } from "vitest";
import { Unavailable } from "../../../src/kit/trouble.ts";
import { heloResolves } from "../../../src/rules/envelope/helo-resolves.ts";
import { tellings, testRule } from "../../helpers/rule-tester.ts";

const dns = ["mx.sender.example A 203.0.113.9", "six.sender.example AAAA 2001:db8::9", "quiet.example silence"];

testRule(heloResolves, {
  letsThrough: [
    ["a name with an IPv4 address", { dns }],
    ["a name with an IPv6 address", { dns, helo: "six.sender.example" }],
    ["an address literal", { dns, helo: "[203.0.113.9]" }],
    ["a bare word, which envelope/helo judges", { dns, helo: "laptop" }],
    ["one of our own hosts", { dns, helo: "no.sender.example", relayNetwork: true }],
    ["anybody, where no DNS server is named", { helo: "no.sender.example" }],
  ],
  catches: [
    ["a name without address", { dns, helo: "no.sender.example" }, "helo: note the name in HELO has no address"],
    ["silence", { dns, helo: "quiet.example" }, "helo: note DNS does not answer about the name in HELO"],
    [
      "the same, where the operator refuses",
      { dns, helo: "no.sender.example", options: { missing: "reject" } },
      "helo: reject helo-unknown",
    ],
  ],
});

it("waits for an answer that could refuse the mail", async () => {
  await expect(tellings(heloResolves, { dns, helo: "quiet.example", options: { missing: "reject" } })).rejects.toThrow(
    Unavailable,
  );
});
