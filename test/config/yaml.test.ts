import { describe, expect, it } from "vitest";
import { z } from "zod";
import { firstOf, parseYaml } from "../../src/config/yaml.ts";

const FILE = [
  "top: 1",
  "section:",
  "  inner:",
  "    deep: x",
  "list:",
  "  - a: 1",
  "  - a: 2",
  '"odd key": 3',
  "",
].join("\n");
const file = parseYaml("file.yaml", FILE);

describe("a YAML file", () => {
  it("gives its value", () => {
    expect(file.value).toEqual({ top: 1, section: { inner: { deep: "x" } }, list: [{ a: 1 }, { a: 2 }], "odd key": 3 });
    expect(file.problems).toEqual([]);
  });

  it.each([
    [["top"], 1],
    [["section", "inner", "deep"], 4],
    [["list", 1, "a"], 7],
    [["none"], undefined],
    [["section", "none"], undefined],
  ])("knows that %j stands in line %s", (key, line) => {
    expect(file.lineOf(key)).toBe(line);
  });

  it.each([
    [["section", "inner", "deep"], "file.yaml:4: section.inner.deep: wrong"],
    [["section", "inner", "missing"], "file.yaml:4: section.inner.missing: wrong"],
    [["nothing", "of", "this"], "file.yaml:1: nothing.of.this: wrong"],
    [["odd key"], 'file.yaml:8: "odd key": wrong'],
    [["list", 1], "file.yaml:7: list.1: wrong"],
    [[], "file.yaml:1: wrong"],
  ])("names the line of the deepest part of %j that it has", (key, expected) => {
    expect(file.at(key, "wrong")).toBe(expected);
  });

  it.each([2_000, 20_000, 200_000])("a file nested %i deep is told so, and does not take its reader down", (depth) => {
    const { problems, value } = parseYaml("file.yaml", "[".repeat(depth) + "]".repeat(depth));
    if (value === undefined) expect(problems[0]).toBe("file.yaml:1: is nested too deeply to be read");
    else expect(depth).toBeLessThan(20_000);
  });

  it("that does not parse names the line and has no value", () => {
    const broken = parseYaml("file.yaml", "a: 1\nb: [1, 2\nc: 3\n");
    expect(broken.value).toBeUndefined();
    expect(broken.problems.length).toBeGreaterThan(0);
    for (const problem of broken.problems) expect(problem).toMatch(/^file\.yaml:\d+: \S/);
  });

  it.each([
    ["lists that were never begun", "]".repeat(5_000)],
    ["keys written again and again", "a: 1\n".repeat(5_000)],
    ["escapes that there are not", '- "\\q"\n'.repeat(5_000)],
  ])("tells the first hundred of thousands of errors, and that there are more: %s", (_, text) => {
    const problems = firstOf(parseYaml("file.yaml", text).problems, "file.yaml");
    expect(problems).toHaveLength(101);
    expect(problems.at(-1)).toBe("file.yaml:1: there are more problems than these 100");
  });

  it("finds a key that is there twice at any depth, after the errors before it", () => {
    const { problems } = parseYaml("file.yaml", 'a: "\\q"\nb:\n  - { c: 1, "c": 2 }\n  - 1: x\n    "1": y\n');
    expect(problems).toEqual([
      expect.stringMatching(/^file\.yaml:1: .*escape/),
      "file.yaml:3: Map keys must be unique",
      "file.yaml:5: Map keys must be unique",
    ]);
  });

  it.each([
    ["a list", "a: 1\n[ x ]: y\n"],
    ["a map", "a: 1\n? { x: 1 }\n: y\n"],
    ["an alias of a list", "a: &a [1]\n*a : y\n"],
  ])("says that %s is no key, and where", (_, text) => {
    expect(parseYaml("file.yaml", text).problems).toEqual(["file.yaml:2: a key is text, no list and no map"]);
  });

  it("says a key twice is an error", () => {
    expect(parseYaml("file.yaml", "a: 1\na: 2\n").problems[0]).toMatch(/^file\.yaml:2: /);
  });

  it("does not grow without end from aliases", () => {
    const lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"];
    for (let i = 1; i < 10; i += 1)
      lines.push(
        `a${i}: &a${i} [${Array(9)
          .fill(`*a${i - 1}`)
          .join(", ")}]`,
      );
    const before = performance.now();
    expect(() => JSON.stringify(parseYaml("file.yaml", lines.join("\n")).value).length).toThrow();
    expect(performance.now() - before).toBeLessThan(5000);
  });

  it("explains a schema's complaint with the value that was there, or that it is missing", () => {
    const schema = z.strictObject({
      top: z.string(),
      needed: z.number(),
      section: z.unknown(),
      list: z.unknown(),
      "odd key": z.unknown(),
    });
    const issues = schema.safeParse({ ...(file.value as object), extra: 1 }).error?.issues ?? [];
    expect(
      issues
        .flatMap(file.explain)
        .map((text) => text.replace(/: Invalid.*/, ""))
        .sort(),
    ).toEqual([
      "file.yaml:1: extra: there is no such key",
      "file.yaml:1: needed: is missing",
      "file.yaml:1: top: 1 does not do",
    ]);
  });
});
