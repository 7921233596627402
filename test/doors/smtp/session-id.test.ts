import { describe, expect, it } from "vitest";
import { newSessionId } from "../../../src/doors/smtp/session-id.ts";

describe("ids of sessions", () => {
  it("have sixteen digits to the base 32 and never come twice", () => {
    const ids = Array.from({ length: 5_000 }, newSessionId);
    for (const id of ids) expect(id).toMatch(/^[0-9a-v]{16}$/);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("use every digit in every place", () => {
    const seen = Array.from({ length: 16 }, () => new Set<string>());
    for (let each = 0; each < 2_000; each += 1)
      for (const [at, digit] of [...newSessionId()].entries()) seen[at]?.add(digit);
    expect(seen.map(({ size }) => size)).toEqual(Array(16).fill(32));
  });
});
