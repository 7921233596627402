import { describe, expect, it } from "vitest";
import { type Finding, fuzz, type Limits, tryOne } from "../../scripts/lib/fuzz/engine.ts";
import { hold, type Target } from "../../scripts/lib/fuzz/target.ts";

const targetOf = (run: (input: Buffer) => void): Target => ({
  name: "planted",
  what: "something that is wrong on purpose",
  words: ["needle", "straw"],
  bytesMax: 20_000,
  // What coverage says changes with what else runs in this process.
  isAsync: true,
  open: () => ({ run }),
});
const LIMITS: Limits = { seed: 3, endMs: Number.POSITIVE_INFINITY, inputsMax: 600 };

async function findings(run: (input: Buffer) => void, limits: Partial<Limits> = {}) {
  const found: Finding[] = [];
  const watch = { before: () => undefined, found: (finding: Finding) => void found.push(finding) };
  const tally = await fuzz(targetOf(run), [Buffer.from("hay and hay\n")], { ...LIMITS, ...limits }, watch);
  return { found, tally };
}

describe("fuzzing", () => {
  it("finds what was planted, once, and shortens it", async () => {
    const { found } = await findings((input) => hold(!input.includes("needle"), "a needle"));
    expect(found.map(({ kind, input }) => [kind, input.toString()])).toEqual([["throw", "needle"]]);
  });

  it("makes the same inputs from the same seed, and others from another", async () => {
    const [one, same, other] = [
      await findings(() => {}),
      await findings(() => {}),
      await findings(() => {}, { seed: 4 }),
    ];
    expect(one.tally.digest).toBe(same.tally.digest);
    expect(one.tally.digest).not.toBe(other.tally.digest);
    expect(one.tally.inputs).toBe(600);
  });

  it("tells a stall, and where it is", async () => {
    const slow = { run: (input: Buffer) => void squares(input.length) };
    const { finding } = await tryOne(slow, Buffer.alloc(20_000), 5);
    expect(finding?.kind).toBe("stall");
    expect((await tryOne(slow, Buffer.alloc(10), 5)).finding).toBeUndefined();
  });
});

/** Takes time by the square of a number. */
function squares(length: number): number {
  let sum = 0;
  for (let one = 0; one < length; one += 1) for (let two = 0; two < length; two += 1) sum = (sum + one * two) | 0;
  return sum;
}
