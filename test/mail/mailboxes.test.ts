import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseMailboxes } from "../../src/mail/mailboxes.ts";

const read = (value: string) => parseMailboxes(Buffer.from(value, "utf8").toString("latin1"));
const keys = (value: string) => read(value).addresses.map((address) => address.key);

describe("address headers", () => {
  it.each([
    ["a@b.example", ["a@b.example"]],
    ["A B <a@b.example>", ["a@b.example"]],
    ['"x@fake.example" <a@b.example>', ["a@b.example"]],
    ["(x@fake.example) a@b.example (or (y@fake.example))", ["a@b.example"]],
    ['"a, b" <a@b.example>, c@d.example', ["a@b.example", "c@d.example"]],
    ["Team: a@b.example, C <c@d.example>;", ["a@b.example", "c@d.example"]],
    ["<@route.example:a@b.example>", ["a@b.example"]],
    ['<"a>b"@c.example>', ['"a>b"@c.example']],
    ["x@fake.example <a@b.example>", ["a@b.example"]],
    ["王 <王@例子.测试>", ["王@xn--fsqu00a.xn--0zwm56d"]],
    ["undisclosed-recipients:;", []],
    ["", []],
  ])("%s names %j", (value, expected) => {
    expect(keys(value)).toEqual(expected);
  });

  it("say when something could not be read", () => {
    expect(read("not an address")).toEqual({ addresses: [], unreadable: true, obscured: false });
    expect(read("a@b.example, <broken").unreadable).toBe(true);
    expect(read("a@b.example").unreadable).toBe(false);
  });

  it.each([
    ["two pairs of brackets", "<a@b.example> <c@d.example>", ["a@b.example", "c@d.example"]],
    ["brackets that touch", "<a@b.example><c@d.example>", ["a@b.example", "c@d.example"]],
    ["text after the brackets", "<a@b.example> c@d.example", ["a@b.example", "c@d.example"]],
    ["blanks around the signs", "<a @ b . example>", ["a@b.example"]],
    ["a comment inside the address", "<a@(c@d.example)b.example>", ["a@b.example"]],
    ["the root's dot", "<a@b.example.>", ["a@b.example"]],
    ["full-width letters and dots", "<a@ｂ。example>", ["a@b.example"]],
    ["a soft hyphen", "<a@b\u00ad.example>", ["a@b.example"]],
    ["a name that is an address", "c@d.example via List <a@b.example>", ["a@b.example"]],
    ["a name in another script's quotes", "“c@d.example” <a@b.example>", ["a@b.example"]],
  ])("%s: %s is read as every reader's program may read it", (_, value, expected) => {
    expect(keys(value)).toEqual(expected);
    expect(read(value).unreadable).toBe(false);
  });

  it.each([
    ["two at signs", "a@b.example, c@d@e.example"],
    ["an encoded domain", "a@b.example, c@=?utf-8?Q?d.example?="],
    ["an encoded address", "a@b.example, =?utf-8?Q?c=40d.example?="],
    ["an address in base64", "a@b.example, =?utf-8?B?PGNAZC5leGFtcGxlPg==?="],
    ["a domain that a browser would cut", "<ceo@b.example/.bank.ex\u00e4mple>"],
  ])("%s: %s holds an author that cannot be read", (_, value) => {
    expect(read(value).obscured).toBe(true);
  });

  it.each([
    "not an address",
    "Foo, Bar <a@b.example>",
    "undisclosed-recipients:;",
    "=?utf-8?Q?Caf=C3=A9?= <a@b.example>",
  ])("%s obscures nobody", (value) => {
    expect(read(value).obscured).toBe(false);
  });

  it("take any bytes, in time that grows with their number", () => {
    fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 400 }), (text) => void read(text)));
    for (const hostile of [
      "<>".repeat(100_000),
      "a @ ".repeat(50_000),
      `<${" (".repeat(50_000)}>`,
      "(".repeat(200_000),
      '"\\'.repeat(100_000),
      "<".repeat(200_000),
      ",".repeat(200_000),
    ])
      read(hostile);
  });
});
