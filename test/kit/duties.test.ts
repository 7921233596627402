import { describe, expect, it, onTestFinished } from "vitest";
import { type Duty, startDuties } from "../../src/kit/duties.ts";
import type { Lease } from "../../src/kit/lease.ts";
import { Unavailable } from "../../src/kit/trouble.ts";
import { until } from "../helpers/wait.ts";

/** Short enough for a test, long enough to be told from nothing. */
const TTL_MS = 150;

function kept(holds: { value: boolean | Error }, duties?: readonly Duty[]) {
  const said: string[] = [];
  const lease: Lease = {
    async hold() {
      if (holds.value instanceof Error) throw holds.value;
      return holds.value;
    },
    release: async () => void said.push("released"),
  };
  const duty = (name: string): Duty => ({
    name,
    async begin() {
      said.push(`${name} begins`);
      return { stop: () => void said.push(`${name} ends`) };
    },
  });
  const running = startDuties({
    lease,
    ttlMs: TTL_MS,
    duties: duties ?? [duty("one"), duty("two")],
    onChange: (ours) => said.push(ours ? "ours" : "not ours"),
    onError: (error, name) => said.push(`${name ?? "lease"}: ${(error as Error).message}`),
  });
  onTestFinished(() => running.stop());
  return { said, running };
}

describe("duties", () => {
  it("begin with the lease, once, and end with it", async () => {
    const holds: { value: boolean } = { value: true };
    const { said, running } = kept(holds);
    await until("they begin", () => said.includes("two begins"));
    expect([said, running.ours]).toEqual([["ours", "one begins", "two begins"], true]);
    holds.value = false;
    await until("they end", () => said.includes("two ends"));
    expect(said.slice(3)).toEqual(["not ours", "one ends", "two ends"]);
    expect(running.ours).toBe(false);
  });

  it("do not begin where another holds it", async () => {
    const { said, running } = kept({ value: false });
    await running.stop();
    expect(said).toEqual([]);
  });

  it("outlast a store that is away, but not longer than the lease", async () => {
    const holds: { value: boolean | Error } = { value: true };
    const { said } = kept(holds);
    await until("they begin", () => said.includes("two begins"));
    const awaySince = performance.now();
    holds.value = new Unavailable("store", "away");
    await until("they end", () => said.includes("two ends"));
    const rounds = said.filter((line) => line === "lease: away").length;
    expect(rounds, "asked again before it gave up").toBeGreaterThan(1);
    expect(performance.now() - awaySince).toBeGreaterThan(TTL_MS / 3);
  });

  it("give the lease back when they are stopped, after they have ended", async () => {
    const { said, running } = kept({ value: true });
    await until("they begin", () => said.includes("two begins"));
    await running.stop();
    expect(said.slice(3)).toEqual(["one ends", "two ends", "released"]);
  });

  it("are begun again when they could not be, and one that cannot keeps no other", async () => {
    let tries = 0;
    const bad: Duty = {
      name: "bad",
      async begin() {
        tries += 1;
        if (tries < 3) throw new Error("not yet");
        return { stop: () => undefined };
      },
    };
    const good: Duty = { name: "good", begin: async () => ({ stop: () => undefined }) };
    const { said } = kept({ value: true }, [bad, good]);
    await until("it is begun", () => tries === 3);
    expect(said.filter((line) => line === "bad: not yet")).toHaveLength(2);
  });
});
