import { describe, expect, it, onTestFinished, vi } from "vitest";
import { startRounds } from "../../src/kit/rounds.ts";
import { until } from "../helpers/wait.ts";

const OFTEN = { everyMs: 1, firstMs: 1 };

describe("rounds", () => {
  it("come again after one that failed, and never two at a time", async () => {
    const errors: unknown[] = [];
    let count = 0;
    let inside = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      count += 1;
      inside += 1;
      most = Math.max(most, inside);
      await new Promise(setImmediate);
      inside -= 1;
      if (count === 2) throw new Error("second");
    };
    const rounds = startRounds(work, { ...OFTEN, onError: (error) => errors.push(error) });
    await until("five rounds", async () => (count >= 5 ? true : undefined));
    await rounds.stop();
    expect([most, errors.map(String)]).toEqual([1, ["Error: second"]]);
  });

  it("end with the one that is going on", async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    let open: (() => void) | undefined;
    let count = 0;
    const work = (): Promise<void> => {
      count += 1;
      return new Promise((resolve) => {
        open = resolve;
      });
    };
    const rounds = startRounds(work, { ...OFTEN, onError: () => undefined });
    await vi.advanceTimersByTimeAsync(1);
    let stopped = false;
    const stopping = rounds.stop().then(() => {
      stopped = true;
    });
    await vi.advanceTimersByTimeAsync(1_000);
    expect([stopped, count]).toEqual([false, 1]);
    open?.();
    await stopping;
    expect(count).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });
});
