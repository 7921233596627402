import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { systemClock } from "../../src/kit/clock.ts";
import type { Store } from "../../src/kit/store.ts";
import { Unavailable } from "../../src/kit/trouble.ts";
import { openStore } from "../../src/stores/open.ts";
import { freePort, startNode } from "../helpers/process.ts";
import { hasRedis, startRedis, startRedisCluster } from "../helpers/redis.ts";
import { until } from "../helpers/wait.ts";

const STORE_CHILD = fileURLToPath(new URL("../helpers/store-child.ts", import.meta.url));
const timeoutMs = 400;
/** What a busy machine may add to a bound before this counts as unbounded. */
const SLACK_MS = 1_500;
const IN_FLIGHT = 20;

interface Outcome {
  readonly startedAt: number;
  readonly tookMs: number;
  readonly error?: unknown;
}

interface Stream {
  readonly outcomes: readonly Outcome[];
  /** Outcomes of operations begun after this moment. */
  since(moment: number): readonly Outcome[];
  stop(): Promise<void>;
}

const OPERATIONS: readonly ((store: Store, i: number) => Promise<unknown>)[] = [
  (store, i) => store.tables.get("t", { partition: `p${i % 50}`, id: "x" }),
  (store, i) => store.tables.put("t", { partition: `p${i % 50}`, id: "x" }, i),
  (store, i) =>
    store.tables.getMany("t", [
      { partition: `p${i % 50}`, id: "x" },
      { partition: "q", id: "y" },
    ]),
  (store, i) => store.tables.putMany("t", [{ key: { partition: `p${i % 50}`, id: "y" }, value: i }]),
  (store, i) => store.windows.take({ partition: `c${i % 50}`, id: "w" }, { max: 5, windowMs: 1_000 }),
  (store, i) => store.marks.first({ partition: `c${i % 50}`, id: "f" }, 1_000),
  (store, i) => store.marks.distinct({ partition: `c${i % 50}`, id: "d" }, String(i), 1_000),
  (store) => store.ping(),
  async (store) => {
    for await (const _ of store.tables.list("t", "p1"));
  },
];

/** Twenty callers that never stop asking. */
function startStream(store: Store): Stream {
  const outcomes: Outcome[] = [];
  let stopped = false;
  let i = 0;
  const caller = async (): Promise<void> => {
    while (!stopped) {
      i += 1;
      const startedAt = performance.now();
      const operation = OPERATIONS[i % OPERATIONS.length] ?? (() => Promise.resolve());
      const error = await operation(store, i).then(
        () => undefined,
        (reason: unknown) => reason ?? "no reason",
      );
      outcomes.push({ startedAt, tookMs: performance.now() - startedAt, ...(error !== undefined && { error }) });
      if (error !== undefined) await delay(5);
    }
  };
  const callers = Array.from({ length: IN_FLIGHT }, caller);
  return {
    outcomes,
    since: (moment) => outcomes.filter(({ startedAt }) => startedAt >= moment),
    async stop() {
      stopped = true;
      await Promise.all(callers);
    },
  };
}

const failed = (outcomes: readonly Outcome[]): readonly Outcome[] =>
  outcomes.filter(({ error }) => error !== undefined);
const worked = (outcomes: readonly Outcome[]): readonly Outcome[] =>
  outcomes.filter(({ error }) => error === undefined);

/** Nothing took longer than its bound, and whatever failed is the store's being away. */
function expectBounded(outcomes: readonly Outcome[]): void {
  expect(Math.max(...outcomes.map(({ tookMs }) => tookMs))).toBeLessThan(timeoutMs + SLACK_MS);
  const strange = failed(outcomes).filter(
    ({ error }) => !(error instanceof Unavailable) || error.dependency !== "store",
  );
  expect(strange).toEqual([]);
}

const lossIsNoticed = (stream: Stream, moment: number) =>
  until("the loss is noticed", () => failed(stream.since(moment)).length > 2 * IN_FLIGHT);

const returnIsNoticed = (stream: Stream, moment: number) =>
  until("the return is noticed", () => worked(stream.since(moment)).length > 2 * IN_FLIGHT);

describe.skipIf(!hasRedis)("Redis lost (needs redis-server and redis-cli)", () => {
  const open: { close(): Promise<void> }[] = [];
  afterEach(async () => {
    for (const each of open.splice(0).reverse()) await each.close();
  });

  async function openOn(url: string, states: string[] = []): Promise<Store> {
    const onState = (up: boolean, why?: string) => void states.push(up ? "up" : `down: ${why}`);
    const store = await openStore(url, { dataDir: "unused", timeoutMs, clock: systemClock, onState });
    open.push(store);
    return store;
  }

  it("frozen and woken: every call settles, fails at once while it lasts, and works again", async () => {
    const server = await startRedis();
    const states: string[] = [];
    const store = await openOn(server.url, states);
    const stream = startStream(store);
    open.push({ close: () => stream.stop() });
    await until("work is done", () => worked(stream.outcomes).length > 200);

    const frozenAt = performance.now();
    server.program.signal("SIGSTOP");
    await lossIsNoticed(stream, frozenAt);
    await until("the connection is given up", () => states.length === 2);
    const refusedFrom = performance.now();
    await until("more fail", () => failed(stream.since(refusedFrom)).length > 5 * IN_FLIGHT);
    const quickest = Math.min(...failed(stream.since(refusedFrom)).map(({ tookMs }) => tookMs));
    expect(quickest).toBeLessThan(timeoutMs / 4);
    expect(worked(stream.since(refusedFrom))).toEqual([]);

    server.program.signal("SIGCONT");
    await returnIsNoticed(stream, performance.now());
    await stream.stop();
    expectBounded(stream.outcomes);
    expect(states).toEqual(["up", expect.stringMatching(/^down: .*[Tt]imeout/), "up"]);
  });

  it("killed and started again on its port, three times over: back by itself, with what it had saved", async () => {
    const first = await startRedis({ args: ["--appendonly", "yes"] });
    const states: string[] = [];
    const store = await openOn(first.url, states);
    await store.tables.put("kept", { partition: "p", id: "x" }, "before");
    const stream = startStream(store);
    open.push({ close: () => stream.stop() });
    let server = first;
    for (let round = 0; round < 3; round += 1) {
      await until("work is done", () => worked(stream.outcomes).length > 200 * (round + 1));
      const killedAt = performance.now();
      server.program.signal("SIGKILL");
      await server.program.exited;
      await lossIsNoticed(stream, killedAt);
      server = await startRedis({ port: first.port, dir: first.dir, args: ["--appendonly", "yes"] });
      await returnIsNoticed(stream, performance.now());
    }
    await stream.stop();
    expectBounded(stream.outcomes);
    expect(states.map((state) => state.slice(0, 4))).toEqual(["up", "down", "up", "down", "up", "down", "up"]);
    expect((await store.tables.get("kept", { partition: "p", id: "x" }))?.value).toBe("before");
  });

  it("not there at the start: opens all the same, and works once it is", async () => {
    const port = await freePort();
    const states: string[] = [];
    const startedAt = performance.now();
    const store = await openOn(`redis://127.0.0.1:${port}`, states);
    expect(performance.now() - startedAt).toBeLessThan(timeoutMs + SLACK_MS);
    await expect(store.tables.get("t", { partition: "p", id: "x" })).rejects.toThrow(/ECONNREFUSED/);
    expect(states).toEqual([expect.stringMatching(/^down: .*ECONNREFUSED/)]);
    await startRedis({ port });
    await until("the store answers", () => store.tables.put("t", { partition: "p", id: "x" }, 1));
    expect(states.at(-1)).toBe("up");
  });

  it("closed on purpose: is not reported as lost, and lets the process end", async () => {
    for (const server of [await startRedis(), await startRedisCluster()]) {
      const states: string[] = [];
      const store = await openOn(server.url, states);
      await store.close();
      await expect(store.ping()).rejects.toThrow(/no connection/);
      expect(states).toEqual(["up"]);
      const child = await startNode(STORE_CHILD, [server.url]);
      expect(await child.exited).toEqual({ code: 0, signal: null });
      expect(child.lines).toEqual(["works"]);
    }
  });

  it("can be closed while it is away", async () => {
    const server = await startRedis();
    const store = await openOn(server.url);
    server.program.signal("SIGSTOP");
    const startedAt = performance.now();
    await store.close();
    expect(performance.now() - startedAt).toBeLessThan(timeoutMs + SLACK_MS);
    await expect(store.ping()).rejects.toBeInstanceOf(Unavailable);
  });

  it("one master of a Cluster frozen and woken: every call settles, and all work again", async () => {
    const cluster = await startRedisCluster();
    const store = await openOn(cluster.url);
    const stream = startStream(store);
    open.push({ close: () => stream.stop() });
    await until("work is done", () => worked(stream.outcomes).length > 200);
    const frozenAt = performance.now();
    cluster.nodes[1]?.program.signal("SIGSTOP");
    await lossIsNoticed(stream, frozenAt);
    cluster.nodes[1]?.program.signal("SIGCONT");
    await until("every record can be read", async () => {
      const keys = Array.from({ length: 50 }, (_, i) => ({ partition: `p${i}`, id: "x" }));
      return store.tables.getMany("t", keys);
    });
    await returnIsNoticed(stream, performance.now());
    await stream.stop();
    expectBounded(stream.outcomes);
  });
});
