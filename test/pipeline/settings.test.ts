import { describe, expect, it } from "vitest";
import { z } from "zod";
import { compileSettings } from "../../src/pipeline/settings.ts";
import { defineRule, PASS } from "../../src/rules/define.ts";
import { RULES } from "../../src/rules/index.ts";
import { ruleOf } from "../helpers/settings.ts";

const tunable = defineRule({
  id: "made/tunable",
  title: "Made up: tunable",
  why: "For a test.",
  sources: [{ cite: "none", confidence: "DERIVED" }],
  falseAlarms: ["none"],
  options: z.strictObject({ bytesMax: z.number().positive().default(10), name: z.string().default("x") }),
  looks: { mail: () => PASS },
});
const rules = [ruleOf("made/first", () => PASS), tunable];

function compile(section: Record<string, unknown>) {
  const problems: string[] = [];
  const settings = compileSettings({ default: "enforce", ...section } as never, rules, problems);
  return { settings, problems, tunable: settings[1] };
}

describe("the rules section", () => {
  it("gives every rule the default mode, its defaults and its rank", () => {
    const { settings, problems } = compile({ default: "watch" });
    expect(problems).toEqual([]);
    expect(settings.map(({ rule, rank, mode, whenUnavailable }) => [rule.id, rank, mode, whenUnavailable])).toEqual([
      ["made/first", 0, "watch", "defer"],
      ["made/tunable", 1, "watch", "defer"],
    ]);
    expect(settings[1]?.options).toEqual({ bytesMax: 10, name: "x" });
  });

  it.each([
    ["a mode alone", "off", { mode: "off" }],
    ["a mode among options", { mode: "watch", bytesMax: 5 }, { mode: "watch", options: { bytesMax: 5, name: "x" } }],
    ["options alone", { name: "y" }, { mode: "enforce", options: { bytesMax: 10, name: "y" } }],
    ["modes of clients", { clients: { shop: "off" } }, { clients: new Map([["shop", "off"]]) }],
    ["what an answer that cannot be had means", { whenUnavailable: "reject" }, { whenUnavailable: "reject" }],
  ])("takes %s", (_, said, expected) => {
    const made = compile({ "made/tunable": said });
    expect(made.problems).toEqual([]);
    expect(made.tunable).toMatchObject(expected);
  });

  it.each([
    ["a rule that does not exist", { "made/typo": "off" }, [/^rules\."made\/typo": there is no such rule/]],
    ["a mode that does not exist", { "made/tunable": { mode: "on" } }, [/^rules\."made\/tunable"\.mode: /]],
    ["an option of the wrong kind", { "made/tunable": { bytesMax: -1 } }, [/^rules\."made\/tunable"\.bytesMax: /]],
    ["an option that does not exist", { "made/tunable": { bytes: 1 } }, [/^rules\."made\/tunable": .*bytes/]],
    [
      "a client's mode that does not exist",
      { "made/tunable": { clients: { shop: "on" } } },
      [/^rules\."made\/tunable"\.clients\.shop: /],
    ],
    [
      "an answer of nobody",
      { "made/tunable": { whenUnavailable: "accept" } },
      [/^rules\."made\/tunable"\.whenUnavailable: /],
    ],
    [
      "everything that is wrong, at once",
      { "made/typo": "off", "made/other": "off", "made/first": { x: 1 }, "made/tunable": { bytesMax: "a", name: 1 } },
      [/made\/typo/, /made\/other/, /made\/first/, /bytesMax/, /name/],
    ],
  ])("complains of %s", (_, section, expected) => {
    const { problems } = compile(section);
    expect(problems).toHaveLength(expected.length);
    expected.forEach((pattern, index) => void expect(problems[index]).toMatch(pattern));
  });

  it("never leaves a rule without options, also when they were wrong", () => {
    expect(compile({ "made/tunable": { mode: "on" } }).tunable?.options).toEqual({ bytesMax: 10, name: "x" });
  });
});

describe("the list of rules", () => {
  it("has every id once", () => {
    expect(new Set(RULES.map(({ id }) => id)).size).toBe(RULES.length);
  });

  it("compiles with an empty section", () => {
    const problems: string[] = [];
    expect(compileSettings({ default: "enforce" }, RULES, problems)).toHaveLength(RULES.length);
    expect(problems).toEqual([]);
  });
});
