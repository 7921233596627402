import { describe, expect, it } from "vitest";
import { createIds, ID_LENGTH, idTimeMs } from "../../src/kit/ids.ts";

const secret = Buffer.from("a secret of more than sixteen bytes");
const at = (ms: number) => ({ now: () => ms });

describe("ids", () => {
  it("sort by time, also within one millisecond and when the clock steps back", () => {
    let ms = 1_000_000;
    const ids = createIds({ now: () => ms }, secret);
    const made = Array.from({ length: 3000 }, (_, index) => {
      ms += index === 1500 ? -500 : index % 3 === 0 ? 1 : 0;
      return ids.sealed();
    });
    expect([...made].sort()).toEqual(made);
    expect(new Set(made).size).toBe(made.length);
    expect(made.every((id) => id.length === ID_LENGTH)).toBe(true);
  });

  it("tell their time", () => {
    const id = createIds(at(1_764_000_000_123), secret).next();
    expect(idTimeMs(id)).toBe(1_764_000_000_123);
  });

  it("are recognised as ours only with the secret that made them", () => {
    const id = createIds(at(1), secret).sealed();
    expect(createIds(at(9), secret).isOurs(id)).toBe(true);
    expect(createIds(at(9), Buffer.from("another secret, also long enough")).isOurs(id)).toBe(false);
    const forged = id.slice(0, -1) + (id.endsWith("0") ? "1" : "0");
    expect(createIds(at(9), secret).isOurs(forged)).toBe(false);
    for (const text of ["", "x", `${id} `, id.toLowerCase()]) expect(createIds(at(1), secret).isOurs(text)).toBe(false);
  });

  it("never meet over restarts in the same millisecond", () => {
    const runs = Array.from({ length: 50 }, () => createIds(at(5), secret).next());
    expect(new Set(runs).size).toBe(runs.length);
  });

  it("never meet over the workers of a machine, whatever the dice say", () => {
    for (let start = 0; start < 200; start += 1) {
      const runs = Array.from({ length: 64 }, (_, worker) => createIds(at(5), secret, worker + 1).next());
      expect(new Set(runs).size).toBe(runs.length);
    }
  });
});
