import { loginOwnsSender } from "../../../src/rules/envelope/login-owns-sender.ts";
import { type Described, ORDINARY } from "../../helpers/described.ts";
import { testRule } from "../../helpers/rule-tester.ts";

const own = "a@shop.example";
const client = { domains: ["shop.example", "*.news.shop.example", "例子.测试"] };
const author = (lines: string): Described => ({
  client,
  login: "shop",
  from: own,
  header: [lines, ORDINARY.date, ORDINARY.subject].join("\n"),
});
const bySender = "mail: reject sender-not-yours";
const byHeader = "header: reject sender-not-yours";

testRule(loginOwnsSender, {
  letsThrough: [
    ["a stranger: not its business", { from: "anybody@anywhere.example" }],
    ["a client in its own name", author(`From: Shop <${own}>`)],
    ["the domain in capitals", author("From: A@SHOP.EXAMPLE")],
    ["a subdomain that is registered by a star", author("From: x@de.news.shop.example")],
    ["its IDN", { ...author("From: <a@例子.测试>"), from: "a@xn--fsqu00a.xn--0zwm56d" }],
    ["a bounce", { ...author(`From: ${own}`), from: "" }],
    ["two authors, both its own", author(`From: ${own}, b@shop.example\nSender: ${own}`)],
    ["a foreign Reply-To: nobody is said to write there", author(`From: ${own}\nReply-To: x@other.example`)],
    [
      "headers, where the operator looks at MAIL FROM only",
      { ...author("From: x@other.example"), options: { headers: false } },
    ],
  ],
  catches: [
    ["MAIL FROM of another", { client, login: "shop", from: "x@other.example" }, bySender],
    ["MAIL FROM of a local domain", { client, login: "shop", from: "ann@example.com" }, bySender],
    ["a client known by its network, in another's name", { client, from: "x@other.example" }, bySender],
    ["a client without any domain", { client: { domains: [] }, from: own }, bySender],
    ["the parent of a starred domain", { client, from: "x@news.shop.example" }, bySender],
    ["a domain that ends like its own", { client, from: "x@workshop.example" }, bySender],
    ["an address literal", { client, from: "x@[192.0.2.1]" }, bySender],
    ["From of another", author("From: x@other.example"), byHeader],
    ["its own name over another's address", author('From: "a@shop.example" <x@other.example>'), byHeader],
    ["a second author", author(`From: ${own}, x@other.example`), byHeader],
    ["a second author in a group", author(`From: Us: ${own}, x@other.example;`), byHeader],
    ["a second From", author(`From: ${own}\nFROM : x@other.example`), byHeader],
    ["Sender of another", author(`From: ${own}\nSender: x@other.example`), byHeader],
    ["Sender folded", author(`From: ${own}\nSender:\n x@other.example`), byHeader],
    ["another's address after the brackets", author(`From: <${own}> x@other.example`), byHeader],
    ["two pairs of brackets", author(`From: <x@other.example> <${own}>`), byHeader],
    ["the root's dot behind another's domain", author(`From: ${own}, <x@other.example.>`), byHeader],
    ["blanks in another's address", author(`From: ${own}, <x @ other . example>`), byHeader],
    ["another's subdomain of its name", author("From: x@shop.example.other.example"), byHeader],
  ],
});
