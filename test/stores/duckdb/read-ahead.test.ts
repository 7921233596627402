import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Part, readAhead } from "../../../src/stores/duckdb/read-ahead.ts";
import { tempDir } from "../../helpers/temp.ts";

const DIR = tempDir();
const FILE = join(DIR, "day.parquet");
writeFileSync(FILE, Buffer.alloc(1_500_000, 7));

const CASES: readonly (readonly [what: string, path: string, parts: readonly Part[]])[] = [
  [
    "parts",
    FILE,
    [
      [0, 10],
      [1_000, 200_000],
    ],
  ],
  ["a part that is larger than what it reads at a time", FILE, [[0, 1_500_000]]],
  [
    "a part behind the end",
    FILE,
    [
      [1_499_000, 9_000],
      [2_000_000, 1],
      [0, 1],
    ],
  ],
  ["no parts", FILE, []],
  ["a file that is gone", join(DIR, "gone.parquet"), [[0, 10]]],
  ["what is no file", DIR, [[0, 10]]],
];

describe("reading ahead", () => {
  it.each(CASES)("comes to an end with %s", async (_, path, parts) => {
    await expect(new Promise<string>((resolve) => readAhead(path, parts, () => resolve("done")))).resolves.toBe("done");
  });
});
