import { describe, expect, it } from "vitest";
import { skipComment, withoutComments } from "../../src/mail/comments.ts";

describe("comments", () => {
  it.each([
    ["a (b) c", "a   c"],
    ["(a)(b)", "  "],
    ["a (b (c) d) e", "a   e"],
    ["a (b \\) c) d", "a   d"],
    ["a \\(b", "a \\ "],
    ["a (b", "a  "],
    ["a) b", "a) b"],
    ["", ""],
  ])("%j without them is %j", (text, expected) => {
    expect(withoutComments(text)).toBe(expected);
  });

  it("end at the end of the text when they never close", () => {
    expect(skipComment("(a\\", 0)).toBe(3);
    expect(skipComment("((a)", 0)).toBe(4);
  });
});
