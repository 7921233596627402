import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeXtext, parseAddress, parseDomain, parsePathWithParams } from "../../src/mail/path.ts";

describe("addresses", () => {
  it.each([
    ["a@b.example", "a", "b.example"],
    ["A.B+c@EXAMPLE.com", "A.B+c", "example.com"],
    ['"a b"@example.com', "a b", "example.com"],
    ['"a@b"@example.com', "a@b", "example.com"],
    ['"a\\"b"@example.com', 'a"b', "example.com"],
    ["a%b@c.example", "a%b", "c.example"],
    ["a!b@c.example", "a!b", "c.example"],
    ["user.@carrier.example", "user.", "carrier.example"],
    ["用户@例子.测试", "用户", "xn--fsqu00a.xn--0zwm56d"],
    ["a@XN--FSQU00A.xn--0zwm56d", "a", "xn--fsqu00a.xn--0zwm56d"],
    ["a@[192.0.2.1]", "a", "[192.0.2.1]"],
    ["a@[IPv6:2001:DB8::1]", "a", "[IPv6:2001:db8::1]"],
  ])("%s is read", (text, local, domain) => {
    expect(parseAddress(text)).toMatchObject({ local, domain });
  });

  it.each([
    "",
    "a",
    "@b",
    "a@",
    "a@b@c",
    "a b@c",
    "a@b..c",
    "a@-b.c",
    "a@b.c-",
    "a\u0000@b.c",
    "a\r\n@b.c",
    "a@[300.1.1.1]",
    "a@[2001:db8::1]",
    "a@[IPv6:1.2.3.4]",
    '"a@b.c',
    '"a"b@c.d',
    `${"a".repeat(250)}@b.example`,
    "a\u200b@b.example",
    "a@b.example/\u00e4",
    "a@b.example?\u00e4",
    "a@b.example#.\u00e4.example",
    "a@b%2eexample.\u00e4",
    "a@xn--b-.example/x",
  ])("%j is none", (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });

  it("write themselves so that they are read back the same", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), (local) => {
        const address = parseAddress(`"${local.replace(/["\\]/g, "\\$&")}"@example.com`);
        if (address) expect(parseAddress(address.text)).toEqual(address);
      }),
    );
  });

  it("take any text without throwing", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => {
        parseAddress(text);
        parseDomain(text);
        parsePathWithParams(text);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("paths with parameters", () => {
  it("read path, route and parameters", () => {
    const read = parsePathWithParams("<@x.example,@y.example:a@b.example> SIZE=12 BODY=8BITMIME SMTPUTF8");
    expect(read?.path).toMatchObject({ sourceRoute: "@x.example,@y.example", address: { text: "a@b.example" } });
    expect(Object.fromEntries(read?.params ?? [])).toEqual({ SIZE: "12", BODY: "8BITMIME", SMTPUTF8: true });
  });

  it("know the null path, postmaster alone, and quotes around brackets", () => {
    expect(parsePathWithParams("<>")?.path).toEqual({ address: null });
    expect(parsePathWithParams("<Postmaster>")?.path.address).toMatchObject({ local: "Postmaster", domain: "" });
    expect(parsePathWithParams('<"a>b"@c.example> SIZE=1')?.path.address?.local).toBe("a>b");
  });

  it.each(["a@b.c", "<a@b.c", "<a@b.c>SIZE=1", "<a@b.c> SIZE=1 SIZE=2", "<a@b.c> =1", "<<a@b.c>>"])(
    "refuse %j",
    (text) => {
      expect(parsePathWithParams(text)).toBeUndefined();
    },
  );

  it("decode xtext, and refuse what it would hide", () => {
    expect(decodeXtext("rfc822;a+2Bb@c.example")).toBe("rfc822;a+b@c.example");
    for (const text of ["a+0D+0Ab", "a+2b", "a b", "a=b", "+"]) expect(decodeXtext(text)).toBeUndefined();
  });
});
