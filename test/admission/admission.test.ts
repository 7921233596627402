import { describe, expect, it, onTestFinished } from "vitest";
import { type Asking, createAdmission, type LoadNews } from "../../src/admission/admission.ts";
import { diskGauge, startLagGauge } from "../../src/admission/gauges.ts";
import { until } from "../helpers/wait.ts";

function watched() {
  const load = { pressure: 0 };
  const news: LoadNews[] = [];
  const admission = createAdmission([{ name: "queue", pressure: () => load.pressure }], (each) => news.push(each));
  onTestFinished(() => admission.stop());
  const asked = (): Record<string, unknown> =>
    Object.fromEntries(
      (["stranger", "client", "postmaster", "connection"] as const satisfies readonly Asking[]).map((asking) => [
        asking,
        admission.refuses(asking),
      ]),
    );
  return { load, news, admission, asked };
}

describe("admission", () => {
  it.each([
    [0, { stranger: undefined, client: undefined, postmaster: undefined, connection: undefined }],
    [1, { stranger: "queue", client: undefined, postmaster: undefined, connection: undefined }],
    [2, { stranger: "queue", client: "queue", postmaster: undefined, connection: undefined }],
    [3, { stranger: "queue", client: "queue", postmaster: "queue", connection: "queue" }],
  ])("at level %d lets in who comes later in the row", async (level, expected) => {
    const { load, admission, asked } = watched();
    load.pressure = level;
    await until("it looks", () => admission.level === level);
    expect(asked()).toEqual(expected);
  });

  it("tells when it begins and when it is over, with how many were put off, and nothing in between", async () => {
    const { load, news, admission } = watched();
    load.pressure = 1.5;
    await until("it begins", () => news.length === 1);
    for (let mail = 0; mail < 100; mail += 1) admission.refuses("stranger");
    load.pressure = 0;
    await until("it is over", () => news.length === 2);
    expect(news.map(({ level, shortage, putOff }) => [level, shortage, putOff])).toEqual([
      [1, "queue", 0],
      [0, "queue", 100],
    ]);
    expect(news[1]?.sinceMs).toBeGreaterThanOrEqual(2_000);
    expect([admission.level, admission.shortage]).toEqual([0, undefined]);
  });

  it("watches what is added later, such as a queue", async () => {
    const { admission } = watched();
    admission.watch({ name: "disk", pressure: () => 2 });
    await until("it looks", () => admission.shortage === "disk");
    expect(admission.level).toBe(2);
  });
});

describe("the gauge of the event loop", () => {
  it("stays calm over a single stall and rises when there is one after the other", async () => {
    const lag = startLagGauge();
    onTestFinished(lag.stop);
    block(400);
    await until("it looked", () => true);
    expect(lag.lagMs()).toBeLessThan(50);
    const busy = setInterval(() => block(300), 1);
    onTestFinished(() => clearInterval(busy));
    await until("it rises", () => lag.lagMs() > 150, 20_000);
    clearInterval(busy);
    await until("it falls", () => lag.lagMs() < 50, 20_000);
  });
});

describe("the gauge of the disk", () => {
  it("says nothing while a disk cannot be asked", async () => {
    let asked = 0;
    const gauge = diskGauge(
      "nowhere",
      () => ({ eventLoopLagMs: 1, memoryMb: 1, diskFreeMb: 1_000 }),
      async () => {
        asked += 1;
        throw new Error("EIO");
      },
    );
    onTestFinished(() => gauge.stop?.());
    await until("it asked", () => asked > 0);
    expect(gauge.pressure()).toBe(0);
  });
});

function block(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}
