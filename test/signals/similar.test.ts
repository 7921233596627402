import { describe, expect, it } from "vitest";
import { shapesOf } from "../../src/signals/similar.ts";

const related = (one: string, other: string): boolean => shapesOf(one).some((shape) => shapesOf(other).includes(shape));

describe("local parts are of one family when they", () => {
  it.each([
    ["count up", "user001", "user002"],
    ["count up with more digits", "info9", "info10"],
    ["count inside", "a1b", "a77b"],
    ["turn the first letter", "asmith", "bsmith"],
    ["turn the last letter", "lia", "lib"],
    ["are written in capitals", "User1", "USER2"],
    ["count in other digits", "用户１", "用户２"],
    ["are single letters", "a", "b"],
  ])("%s: %s, %s", (_, one, other) => expect(related(one, other)).toBe(true));

  it.each([
    ["ann", "benjamin"],
    ["li.wei", "nguyen.van.a"],
    ["info", "sales"],
    ["a1", "b2c"],
  ])("and not otherwise: %s, %s", (one, other) => expect(related(one, other)).toBe(false));

  it("has few and short shapes however long it is", () => {
    const shapes = shapesOf(`${"x1".repeat(5_000)}`);
    expect(shapes.length).toBeLessThanOrEqual(3);
    for (const shape of shapes) expect(shape.length).toBeLessThanOrEqual(80);
  });
});
