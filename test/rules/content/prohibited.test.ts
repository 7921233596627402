import { performance } from "node:perf_hooks";
import { describe, expect, it } from "vitest";
import { createMatcher, patternTrouble, STEPS_MAX, stepsOf } from "../../../src/rules/content/patterns.ts";
import { prohibited } from "../../../src/rules/content/prohibited.ts";
import { type Described, ORDINARY, viewsOf } from "../../helpers/described.ts";
import { contentOf } from "../../helpers/letters.ts";
import { tellings, testRule } from "../../helpers/rule-tester.ts";

const list = (...patterns: readonly object[]) => ({ patterns });
const guns = { name: "weapons", pattern: "枪支|firearms? for sale" };
const withGuns = list(guns);
const base64 = (text: string): string => Buffer.from(text).toString("base64");
const { from, date } = ORDINARY;
const html = (body: string): Described => ({
  header: [from, date, "Subject: x", "Content-Type: text/html; charset=utf-8"].join("\n"),
  body,
  options: withGuns,
});
const held = "body: hold held";

testRule(prohibited, {
  letsThrough: [
    ["everything while the list is empty", { body: "firearms for sale" }],
    ["what is not on the list", { body: "minutes of the meeting", options: withGuns }],
    [
      "a word in another place than the one named",
      { body: "firearm for sale", options: list({ ...guns, in: ["subject"] }) },
    ],
    ["letters that the reader does not see", html('<p>hello</p><p style="display:none">firearm for sale</p>')],
  ],
  catches: [
    ["a word in the text", { body: "We have a firearm for sale here.", options: withGuns }, held],
    ["a word in capitals", { body: "FIREARMS FOR SALE", options: withGuns }, held],
    [
      "a word in the Subject",
      { header: `${from}\n${date}\nSubject: =?UTF-8?B?${base64("枪支")}?=`, options: withGuns },
      held,
    ],
    [
      "a word in base64",
      {
        header: `${from}\n${date}\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64`,
        body: base64("出售枪支，货到付款"),
        options: withGuns,
      },
      held,
    ],
    [
      "a word in GB2312",
      {
        header: `${from}\n${date}\nContent-Type: text/plain; charset=gb2312`,
        body: Buffer.from([0xc7, 0xb9, 0xd6, 0xa7]),
        options: withGuns,
      },
      held,
    ],
    [
      "a word parted by characters that show nothing",
      {
        header: `${from}\n${date}\nContent-Type: text/plain; charset=utf-8`,
        body: "fire\u200barm for sale",
        options: withGuns,
      },
      held,
    ],
    ["a word parted by marks of HTML", html("<p>fire<b>arm</b> for sale</p>"), held],
    [
      "an address of a link",
      {
        ...html('<a href="https://guns.example/buy">here</a>'),
        options: list({ name: "site", pattern: "guns\\.example", in: ["links"] }),
      },
      held,
    ],
    [
      "a word where the list only notes",
      { body: "firearm for sale", options: { ...withGuns, route: "note" } },
      "body: note on the list",
    ],
  ],
});

describe("what is found on the list", () => {
  it("is named and not quoted, with the authority that is told", async () => {
    const options = {
      ...list({ ...guns, authority: "police 110" }, { name: "other", pattern: "sale" }),
      authority: "12321",
    };
    const [first] = await tellings(prohibited, { body: "firearm for sale", options });
    expect(first?.finding).toMatchObject({ evidence: { pattern: "weapons", authority: "police 110" } });
    const [second] = await tellings(prohibited, { body: "a sale", options });
    expect(second?.finding).toMatchObject({ evidence: { pattern: "other", authority: "12321" } });
  });

  it("is found in a large mail that lies on disk", async () => {
    const bytes = Buffer.from(`${from}\r\n${date}\r\nSubject: x\r\n\r\n${"word ".repeat(2_000)}firearm for sale\r\n`);
    const view = { ...viewsOf({}).body, content: contentOf(bytes, 1_000) };
    const options = prohibited.options.parse(withGuns);
    expect(await prohibited.looks.body?.(view, { options } as never)).toMatchObject({ kind: "hold" });
  });
});

describe("an operator's patterns", () => {
  it.each([
    ["no pattern", "(", "missing closing"],
    ["looking back, which RE2 has not", "(?<=a)b", "(?<=a)b"],
    ["a reference back, which RE2 has not", "(a)\\1", "escape"],
  ])("are refused with a reason: %s", (_, pattern, reason) => {
    expect(patternTrouble(pattern)).toMatch(new RegExp(reason.replace(/[()?]/g, "."), "i"));
    const result = prohibited.options.safeParse(list({ name: "x", pattern }));
    expect(result.success).toBe(false);
    expect(result.error?.issues[0]?.path).toEqual(["patterns", 0, "pattern"]);
  });

  it("are refused when together they would be slow", () => {
    const many = Array.from({ length: 40 }, (_, at) => ({ name: `p${at}`, pattern: `[a-z].{0,200}q${at}` }));
    expect(stepsOf(many.map(({ pattern }) => pattern))).toBeGreaterThan(STEPS_MAX);
    expect(prohibited.options.safeParse(list(...many)).error?.issues[0]?.message).toMatch(/steps together/);
  });

  it("never take exponential time, whatever they are", () => {
    const match = createMatcher(["(a+)+$", "(a|aa)+b", "(.*)(.*)(.*)(.*)z", "(x+x+)+y"]);
    const startMs = performance.now();
    match("a".repeat(40_000));
    match("x".repeat(40_000));
    expect(performance.now() - startMs).toBeLessThan(5_000);
  });

  it("tell which of five hundred was found, in a moment", () => {
    const match = createMatcher(Array.from({ length: 500 }, (_, at) => `词${at}号`));
    expect(match("前面 词17号 和 词499号")).toEqual([17, 499]);
  });
});
