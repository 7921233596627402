import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { pageOf } from "../../scripts/bench/lib/all-page.ts";
import { writeBetweenMarks } from "../../scripts/bench/lib/page.ts";
import { tempDir } from "../helpers/temp.ts";

const measured = {
  name: "consentry, 1 worker",
  rate: 4000,
  least: 3900,
  most: 4100,
  cpu: 0.25,
  memoryMb: 120,
  rates: [4000],
};
const at = { machine: "4 cores", beganAt: new Date(0), rounds: 5, seconds: 3, skipped: ["haraka: no npm"] };

describe("the page that scripts/bench/all writes", () => {
  it("says who was measured, what was missed, and what could not be measured", () => {
    const outcomes = new Map([
      [
        "4k",
        {
          measured: [measured],
          results: [
            { name: "one", value: 1.2, unit: "x", target: 1 },
            { name: "two", value: 0.5, unit: "x", target: 1 },
            { name: "three", value: 3, unit: "ms", target: 2, bound: "most" as const },
          ],
        },
      ],
    ]);
    const page = pageOf(outcomes, at);
    expect(page).toContain("| consentry, 1 worker | 4000 (3900 to 4100) | 0.250 | 120 |");
    expect(page).toContain("| one | 1.2 x | at least 1 | met |");
    expect(page).toContain("| two | 0.5 x | at least 1 | **missed** |");
    expect(page).toContain("| three | 3 ms | at most 2 | **missed** |");
    expect(page).toContain("Not measured: haraka: no npm.");
  });

  it("replaces what stands between the marks and nothing else", () => {
    const path = join(tempDir(), "page.md");
    const marks = ["<!-- scripts/bench/all writes from here -->", "<!-- to here -->"];
    writeFileSync(path, `before\n${marks[0]}\nold\n${marks[1]}\nafter\n`);
    writeBetweenMarks(path, "new");
    expect(readFileSync(path, "utf8")).toBe(`before\n${marks[0]}\n\nnew\n\n${marks[1]}\nafter\n`);
    writeFileSync(path, "no marks\n");
    expect(() => writeBetweenMarks(path, "new")).toThrow(/has no place for it/);
  });

  it("has its place in docs/performance.md", () => {
    expect(readFileSync("docs/performance.md", "utf8")).toContain("<!-- scripts/bench/all writes from here -->");
  });
});
