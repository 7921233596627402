import { heloResolves } from "../../../src/rules/envelope/helo-resolves.ts";
import { testRule } from "../../helpers/rule-tester.ts";

const dns = ["mx.sender.example A 203.0.113.9", "six.sender.example AAAA 2001:db8::9"];

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
    [
      "the same, where the operator refuses",
      { dns, helo: "no.sender.example", options: { missing: "reject" } },
      "helo: reject helo-unknown",
    ],
  ],
});
