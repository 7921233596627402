import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { dutiesOf, loadCoverage } from "../../src/law/coverage.ts";
import { loadPacks } from "../../src/law/packs.ts";
import { RULES } from "../../src/rules/index.ts";

const HOUSE = join(import.meta.dirname, "../..");
const coverage = loadCoverage(join(HOUSE, "config/coverage.yaml"));
const packs = [...loadPacks(join(HOUSE, "config/packs")).values()];
const duties = dutiesOf(coverage, packs);
const rules = new Set(RULES.map(({ id }) => id));

describe("what is enforced, and what is not", () => {
  it("speaks of all forty obligations a mail server meets, each once", () => {
    expect(coverage.obligations).toHaveLength(40);
    expect(new Set(coverage.obligations.map(({ what }) => what)).size).toBe(40);
  });

  it("gives for each duty what holds people to it, or the reason why nothing does", () => {
    expect(duties.filter(({ by, why }) => by.length > 0 === (why !== undefined)).map(({ law }) => law)).toEqual([]);
  });

  it("names rules and means that exist", () => {
    const names = new Set(duties.flatMap(({ by }) => by.map(({ name }) => name)));
    expect([...names].filter((name) => !rules.has(name) && !(name in coverage.means))).toEqual([]);
  });

  it("names tests that exist", () => {
    const tests = new Set([
      ...duties.flatMap(({ by }) => by.flatMap((each) => each.tests)),
      ...Object.values(coverage.means).flatMap((each) => each.tests),
    ]);
    expect([...tests].filter((path) => !existsSync(join(HOUSE, path)))).toEqual([]);
  });

  it("has no means that nothing uses", () => {
    const used = new Set(duties.flatMap(({ by }) => by.map(({ name }) => name)));
    expect(Object.keys(coverage.means).filter((name) => !used.has(name))).toEqual([]);
  });

  it("has every rule that cites a law in it", () => {
    const used = new Set(duties.flatMap(({ by }) => by.map(({ name }) => name)));
    expect([...rules].filter((id) => !used.has(id))).toEqual([]);
  });
});
