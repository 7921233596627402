import { describe, expect, it } from "vitest";
import { createProgress, jsonLine, table } from "../../src/commands/output.ts";

describe("what commands print", () => {
  it("stands in columns as wide as they need to be, without blanks at the end", () => {
    expect(
      table(
        ["ID", "STATE"],
        [
          ["a", "enabled"],
          ["longer-id", ""],
        ],
      ),
    ).toEqual(["ID         STATE", "a          enabled", "longer-id"]);
  });

  it("is JSON that cannot steer a terminal either", () => {
    const line = jsonLine({ helo: "\x1b[31m\u009b\u2028\u202e广告" });
    expect(line).toBe('{"helo":"\\u001b[31m\\u009b\\u2028\\u202e广告"}');
    expect(JSON.parse(line)).toEqual({ helo: "\x1b[31m\u009b\u2028\u202e广告" });
  });
});

describe("progress", () => {
  it("says nothing about what is done in a moment", () => {
    const said: string[] = [];
    const stream = { isTTY: true, write: (text: string) => said.push(text) } as unknown as NodeJS.WriteStream;
    const progress = createProgress("lines", stream);
    progress.at(1);
    progress.end();
    expect(said).toEqual([]);
  });
});
