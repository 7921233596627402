import { describe, expect, it } from "vitest";
import { refusalHeaders } from "../../../src/rules/consent/refusal-headers.ts";
import type { Finding, RefusalWay } from "../../../src/rules/define.ts";
import { contextOf, type Described, viewsOf } from "../../helpers/described.ts";
import { testRule } from "../../helpers/rule-tester.ts";

const shop = { client: { kind: "advertiser" } } as const;
const BOTH: RefusalWay = { url: "https://r.example/refuse/T", mailto: "mailto:no@r.example?subject=T" };

testRule(refusalHeaders, {
  letsThrough: [
    ["a stranger's mail", { refusalWay: BOTH }],
    ["a client that is no advertiser", { client: {}, refusalWay: BOTH }],
    ["an advertisement that says so itself", { ...shop, with: "List-Unsubscribe: <mailto:no@shop.example>" }],
    ["an advertisement where the site has no way to name", shop],
    ["an advertisement that gets its headers", { ...shop, refusalWay: BOTH }],
  ],
  catches: [],
});

describe("the headers of an advertisement", () => {
  const added = (mail: Described): string[] => {
    const said = refusalHeaders.looks.header?.(viewsOf(mail).header, { ...contextOf(mail), options: {} });
    return ((said as Finding).edits ?? []).map((edit) => (edit.kind === "add" ? `${edit.name}: ${edit.value}` : ""));
  };

  it.each<[string, RefusalWay, string[]]>([
    ["neither page nor address", {}, []],
    ["an address", { mailto: "mailto:no@r.example" }, ["List-Unsubscribe: <mailto:no@r.example>"]],
    [
      "both, and so one click",
      BOTH,
      [`List-Unsubscribe: <${BOTH.url}>,\r\n <${BOTH.mailto}>`, "List-Unsubscribe-Post: List-Unsubscribe=One-Click"],
    ],
    ["a page without TLS: no one-click (RFC 8058 3.1)", { url: "http://r/T" }, ["List-Unsubscribe: <http://r/T>"]],
  ])("with %s", (_, refusalWay, expected) => {
    expect(added({ ...shop, refusalWay })).toEqual(expected);
  });
});
