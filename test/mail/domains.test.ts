import { describe, expect, it } from "vitest";
import { domainList } from "../../src/mail/domains.ts";

const list = domainList(["Example.COM", "*.branch.example", "both.example", "*.both.example", "例子.测试"]);

describe("a list of domains", () => {
  it.each([
    "example.com",
    "a.branch.example",
    "a.b.c.branch.example",
    "both.example",
    "a.both.example",
    "xn--fsqu00a.xn--0zwm56d",
  ])("has %s", (domain) => {
    expect(list.has(domain)).toBe(true);
  });

  it.each([
    "",
    "com",
    "a.example.com",
    "notexample.com",
    "example.com.other",
    "branch.example",
    "xbranch.example",
    ".branch.example.x",
  ])("has not %j", (domain) => {
    expect(list.has(domain)).toBe(false);
  });

  it("that is empty has nothing", () => {
    expect(domainList([]).has("example.com")).toBe(false);
    expect(domainList([]).has("")).toBe(false);
  });

  it("leaves out what is no domain", () => {
    const odd = domainList(["*", "*.", "a b", "-x.example", ""]);
    for (const domain of ["", "*", "a b", "x.example"]) expect(odd.has(domain)).toBe(false);
  });
});
