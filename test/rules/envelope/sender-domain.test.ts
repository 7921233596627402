import { senderDomain } from "../../../src/rules/envelope/sender-domain.ts";
import { testRule } from "../../helpers/rule-tester.ts";

const dns = [
  "mx.example MX 10 mail.mx.example",
  "v4.example A 192.0.2.1",
  "v6.example AAAA 2001:db8::1",
  "null.example MX 0 .",
  "bare.example TXT nothing here",
  "quiet.example silence",
];

testRule(senderDomain, {
  letsThrough: [
    ["a domain with MX", { dns, from: "bob@mx.example" }],
    ["a domain with an IPv4 address only", { dns, from: "bob@v4.example" }],
    ["a domain with an IPv6 address only", { dns, from: "bob@v6.example" }],
    ["the null reverse-path", { dns, from: "" }],
    ["a local domain, whatever DNS says", { dns, from: "bob@example.com" }],
    ["one of our own hosts", { dns, from: "bob@nowhere.example", relayNetwork: true }],
    ["anybody, where no DNS server is named", { from: "bob@nowhere.example" }],
  ],
  catches: [
    ["a domain that does not exist", { dns, from: "bob@nowhere.example" }, "mail: reject sender-domain"],
    ["a domain without MX and address", { dns, from: "bob@bare.example" }, "mail: reject sender-domain"],
    ["a null MX", { dns, from: "bob@null.example" }, "mail: reject sender-null-mx"],
    [
      "the same, where the operator only notes",
      { dns, from: "bob@null.example", options: { nullMx: "note" } },
      "mail: note the sender's domain receives no mail",
    ],
  ],
});
