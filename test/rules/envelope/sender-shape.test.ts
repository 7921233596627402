import { senderShape } from "../../../src/rules/envelope/sender-shape.ts";
import { testRule } from "../../helpers/rule-tester.ts";

const caught = "mail: reject sender-shape";

testRule(senderShape, {
  letsThrough: [
    ["an ordinary address", { from: "bob@sender.example" }],
    ["a bounce", { from: "" }],
    ["VERP and SRS", { from: "SRS0=Ab1=XY=origin.example=bob@forward.example" }],
    ["BATV", { from: "prvs=1234abcdef=bob@sender.example" }],
    ["X.400's slashes", { from: "/C=CN/O=x/S=bob/@gateway.example" }],
    ["a source route: it is left out", { from: "@r.example:bob@sender.example" }],
    ["a quoted blank", { from: '"bob lee"@sender.example' }],
    ["an IDN", { from: "bob@例子.测试" }],
    ["a top level that begins with a digit", { from: "bob@sender.3com" }],
    ["a bang where the operator allows it", { from: "x!y@sender.example", options: { routeCharacters: "%" } }],
  ],
  catches: [
    ["a bare word", { from: "bob@localhost" }, caught],
    ["an IPv4 literal", { from: "bob@[203.0.113.9]" }, caught],
    ["an IPv6 literal", { from: "bob@[IPv6:2001:db8::9]" }, caught],
    ["a bare IPv4 address", { from: "bob@203.0.113.9" }, caught],
    ["a top level of digits", { from: "bob@sender.123" }, caught],
    ["a percent route", { from: "bob%other.example@sender.example" }, caught],
    ["a bang path", { from: "other!bob@sender.example" }, caught],
    ["an address inside the local part", { from: '"bob@other.example"@sender.example' }, caught],
    ["a colon", { from: '"host::bob"@sender.example' }, caught],
    ["a pipe", { from: '"|program"@sender.example' }, caught],
    ["postmaster of nowhere", { from: "postmaster" }, caught],
    ["a very long name", { from: `${"b".repeat(65)}@sender.example` }, "mail: note local part longer than 64 octets"],
    [
      "a long name in octets",
      { from: `${"字".repeat(22)}@sender.example` },
      "mail: note local part longer than 64 octets",
    ],
  ],
});
