import { ownDomainFromOutside } from "../../../src/rules/envelope/own-domain-from-outside.ts";
import { type Described, ORDINARY } from "../../helpers/described.ts";
import { testRule } from "../../helpers/rule-tester.ts";

const author = (line: string): Described => ({ header: [line, ORDINARY.date, ORDINARY.subject].join("\n") });
const bySender = "mail: reject own-domain";
const byFrom = "header: reject own-domain";
const noted = "header: note From names a local domain";

testRule(ownDomainFromOutside, {
  letsThrough: [
    ["a stranger in his own name", {}],
    ["a bounce", { from: "" }],
    ["a host of relayNetworks in our name", { relayNetwork: true, from: "ann@example.com" }],
    ["a client in our name: login-owns-sender looks at that", { client: {}, from: "ann@example.com" }],
    ["a display name that holds our address", author('From: "ann@example.com" <bob@sender.example>')],
    ["a comment that holds our address", author("From: bob@sender.example (ann@example.com)")],
    ["our address in To", author("From: bob@sender.example\nTo: ann@example.com")],
    ["a domain that ends like ours", { from: "ann@notexample.com" }],
    [
      "From in our name where the operator does not look",
      { ...author("From: ann@example.com"), options: { fromHeader: "off" } },
    ],
  ],
  catches: [
    ["MAIL FROM in our name", { from: "ann@example.com" }, bySender],
    ["MAIL FROM in capitals", { from: "Ann@EXAMPLE.COM" }, bySender],
    ["MAIL FROM behind a source route", { from: "@sender.example:ann@example.com" }, bySender],
    ["MAIL FROM with a quoted local part", { from: '"ann"@example.com' }, bySender],
    ["MAIL FROM of our IDN", { from: "ann@例子.测试" }, bySender],
    ["MAIL FROM in a listed subdomain", { from: "ann@x.branch.example.com" }, bySender],
    ["From in our name", author("From: Ann <ann@example.com>"), byFrom],
    ["From in our name in a bounce", { ...author("From: ann@example.com"), from: "" }, byFrom],
    ["FROM in capitals", author("FROM: ann@EXAMPLE.COM"), byFrom],
    ["a blank before the colon", author("From : ann@example.com"), byFrom],
    ["From folded before its value", author("From:\n\tann@example.com"), byFrom],
    ["From folded inside the address", author("From: <ann@\n example.com>"), byFrom],
    ["the second of two authors", author("From: bob@sender.example, ann@example.com"), byFrom],
    ["the second of two From fields", author("From: bob@sender.example\nfrom: ann@example.com"), byFrom],
    ["a group of authors", author("From: Team: bob@sender.example, ann@example.com;"), byFrom],
    ["a comment inside the address", author("From: ann@(x)example.com"), byFrom],
    ["blanks around the at sign", author("From: <ann @ example.com>"), byFrom],
    ["the root's dot", author("From: <ann@example.com.>"), byFrom],
    ["two pairs of brackets", author("From: <ann@example.com> <bob@sender.example>"), byFrom],
    ["an address after the brackets", author("From: <bob@sender.example> ann@example.com"), byFrom],
    ["full-width letters", author("From: <ann@ｅｘａｍｐｌｅ．ｃｏｍ>"), byFrom],
    ["a soft hyphen in the domain", author("From: <ann@exam\u00adple.com>"), byFrom],
    ["a route inside From", author("From: <@sender.example:ann@example.com>"), byFrom],
    ["a list that returns a member's post", author("From: ann@example.com\nList-Id: <list.sender.example>"), noted],
    [
      "the same, where the operator takes no lists",
      { ...author("From: ann@example.com\nList-Id: <l.sender.example>"), options: { listsMayReturn: false } },
      byFrom,
    ],
    [
      "From where the operator only notes",
      { ...author("From: ann@example.com"), options: { fromHeader: "note" } },
      noted,
    ],
  ],
});
