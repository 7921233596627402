import { expect, it } from "vitest";
import { createGate } from "../../src/scorers/gate.ts";

it("lets so many in, the others in their order, and refuses who would wait behind too many", async () => {
  const pass = createGate(2, 3);
  const ends: (() => void)[] = [];
  const begun: number[] = [];
  const enter = (n: number): Promise<number> =>
    pass(async () => {
      begun.push(n);
      await new Promise<void>((resolve) => ends.push(resolve));
      if (n === 1) throw new Error("one fails");
      return n;
    });
  const all = [1, 2, 3, 4, 5, 6].map((n) => enter(n).catch((error: Error) => error.message));
  expect(await all[5]).toBe("too many mails wait for it");
  expect(begun).toEqual([1, 2]);
  for (let left = 5; left > 0; left -= 1) {
    while (ends.length === 0) await Promise.resolve();
    ends.shift()?.();
  }
  expect(await Promise.all(all)).toEqual(["one fails", 2, 3, 4, 5, "too many mails wait for it"]);
  expect(begun).toEqual([1, 2, 3, 4, 5]);
});
