import { describe, expect, it, vi } from "vitest";
import { withDeadline } from "../../src/kit/deadline.ts";
import { Unavailable } from "../../src/kit/trouble.ts";

const never = (): Promise<never> => new Promise(() => undefined);
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("a wait with a deadline", () => {
  it("gives what came in time, and the error that came instead", async () => {
    expect(await withDeadline(Promise.resolve(7), 1_000, "dns", "MX")).toBe(7);
    await expect(withDeadline(Promise.reject(new Error("no")), 1_000, "dns", "MX")).rejects.toThrow("no");
  });

  it("ends in Unavailable, which names who is to blame, what was asked and how long", async () => {
    const late = withDeadline(never(), 20, "dns", "MX");
    await expect(late).rejects.toThrow(Unavailable);
    await expect(late).rejects.toMatchObject({ dependency: "dns", message: "MX: no answer in 20 ms" });
  });

  it("takes no timer for what is known within the turn, and leaves none behind", async () => {
    const set = vi.spyOn(globalThis, "setTimeout");
    const clear = vi.spyOn(globalThis, "clearTimeout");
    try {
      await withDeadline(Promise.resolve(1), 60_000, "dns", "MX");
      await turn();
      expect(set.mock.calls.filter(([, ms]) => ms === 60_000)).toHaveLength(0);
      await withDeadline(turn().then(turn), 60_000, "dns", "MX");
      const index = set.mock.calls.findIndex(([, ms]) => ms === 60_000);
      expect(clear.mock.calls.map(([timer]) => timer)).toContain(set.mock.results[index]?.value);
    } finally {
      set.mockRestore();
      clear.mockRestore();
    }
  });
});
