import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { configKeys } from "../../scripts/lib/docs/config-defaults.ts";
import type { SchemaKey } from "../../scripts/lib/docs/schema-keys.ts";
import { loadConfig } from "../../src/config/load.ts";
import { configSchema } from "../../src/config/schema.ts";
import { RULES } from "../../src/rules/index.ts";

const SHIPPED = "config/consentry.yaml";
const shipped = readFileSync(SHIPPED, "utf8");

/** Every key below this one, and itself, as a path of names. */
const paths = (key: SchemaKey, above: readonly string[] = []): string[][] => {
  const path = [...above, key.name];
  return [path, ...key.keys.flatMap((child) => paths(child, path))];
};

describe("the shipped configuration", () => {
  it("loads without errors and says what the defaults are", () => {
    expect(loadConfig(SHIPPED, {}).config).toEqual(configSchema.parse({}));
  });

  it("shows every key, those without a default as comments", () => {
    const missing = configKeys()
      .flatMap((key) => paths(key))
      .filter(
        (path) => !new RegExp(`(^|[ {#])${path.at(-1)}: `, "m").test(shipped) && !shipped.includes(`${path.at(-1)}:\n`),
      );
    expect(missing).toEqual([]);
  });

  it("shows every rule", () => {
    expect(RULES.map((rule) => rule.id).filter((id) => !shipped.includes(`# ${id}: `))).toEqual([]);
  });
});

describe("the schema", () => {
  const all = configKeys().flatMap((key) => [key, ...key.keys]);

  it("explains every key", () => {
    expect(all.filter((key) => key.meaning === "").map((key) => key.name)).toEqual([]);
  });

  it("explains every option of every rule", () => {
    const page = readFileSync("docs/reference/rules.md", "utf8");
    expect(page.match(/^\| `\w+` \|.*\|\s*\|$/gm)).toBeNull();
  });
});

describe("the generated pages", () => {
  it("are what the source says now", () => {
    expect(() =>
      execFileSync(process.execPath, ["scripts/lib/docs/main.ts", "--check"], { stdio: "pipe" }),
    ).not.toThrow();
  });
});
