import { describe, expect, it } from "vitest";
import { METRICS, type MetricName } from "../../src/kit/metrics.ts";
import { BUCKETS, createMeter } from "../../src/metrics/meter.ts";
import { readMetrics } from "../../src/metrics/read.ts";
import { renderMetrics } from "../../src/metrics/render.ts";

const figure = (text: string, name: string, labels: Readonly<Record<string, string>> = {}): number | undefined =>
  readMetrics(text).find(
    (sample) =>
      sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
  )?.value;

describe("figures that one process takes for another", () => {
  it("are counted once, with what the other had", async () => {
    const [service, deliverer] = [createMeter(), createMeter()];
    service.count("consentry_entries_total", "received");
    expect(deliverer.take()).toBeUndefined();
    for (const seconds of [0.002, 30]) deliverer.observe("consentry_store_seconds", seconds, "get");
    for (const event of ["received", "handed-over", "handed-over"]) deliverer.count("consentry_entries_total", event);
    deliverer.read("consentry_queue_mails", () => [{ labels: [], value: 7 }]);
    service.absorb(JSON.parse(JSON.stringify(deliverer.take())));
    expect(deliverer.take()).toBeUndefined();
    deliverer.count("consentry_entries_total", "handed-over");
    service.absorb(deliverer.take() ?? { values: {}, histograms: {} });
    const text = await renderMetrics([await service.snapshot()]);
    expect(figure(text, "consentry_entries_total", { event: "received" })).toBe(2);
    expect(figure(text, "consentry_entries_total", { event: "handed-over" })).toBe(3);
    expect(figure(text, "consentry_store_seconds_count", { operation: "get" })).toBe(2);
    expect(figure(text, "consentry_store_seconds_sum", { operation: "get" })).toBeCloseTo(30.002);
    expect(figure(text, "consentry_queue_mails")).toBeUndefined();
  });
});

describe("figures of several processes", () => {
  it("are added up where their labels are the same, and stand side by side where they are not", async () => {
    const [one, two] = [createMeter(), createMeter()];
    for (let each = 0; each < 3; each += 1) one.count("consentry_entries_total", "received");
    two.count("consentry_entries_total", "received");
    two.count("consentry_entries_total", "refused");
    for (const [meter, worker] of [
      [one, "1"],
      [two, "2"],
    ] as const) {
      meter.read("consentry_overload_level", () => [{ labels: [worker], value: Number(worker) }]);
    }
    const text = await renderMetrics([await one.snapshot(), await two.snapshot()]);
    expect(figure(text, "consentry_entries_total", { event: "received" })).toBe(4);
    expect(figure(text, "consentry_entries_total", { event: "refused" })).toBe(1);
    expect([1, 2].map((worker) => figure(text, "consentry_overload_level", { worker: String(worker) }))).toEqual([
      1, 2,
    ]);
  });

  it("are a histogram as Prometheus has it: each bucket counts all below its bound", async () => {
    const [one, two] = [createMeter(), createMeter()];
    one.observe("consentry_stage_seconds", 0.0001, "rcpt");
    one.observe("consentry_stage_seconds", 0.003, "rcpt");
    two.observe("consentry_stage_seconds", 99, "rcpt");
    const text = await renderMetrics([await one.snapshot(), await two.snapshot()]);
    const bucket = (le: string) => figure(text, "consentry_stage_seconds_bucket", { stage: "rcpt", le });
    expect(["0.0001", "0.001", "0.005", "20", "+Inf"].map(bucket)).toEqual([1, 1, 2, 2, 3]);
    expect(figure(text, "consentry_stage_seconds_count", { stage: "rcpt" })).toBe(3);
    expect(figure(text, "consentry_stage_seconds_sum", { stage: "rcpt" })).toBeCloseTo(99.0031, 6);
  });

  it("survive the way between processes", async () => {
    const meter = createMeter();
    meter.observe("consentry_dns_seconds", 0.2);
    meter.count("consentry_dns_errors_total");
    const sent = JSON.parse(JSON.stringify(await meter.snapshot()));
    const text = await renderMetrics([sent]);
    expect(figure(text, "consentry_dns_seconds_count")).toBe(1);
    expect(figure(text, "consentry_dns_errors_total")).toBe(1);
  });

  it("all have their help and type, before anything happened", async () => {
    const text = await renderMetrics([await createMeter().snapshot()]);
    for (const name of Object.keys(METRICS) as MetricName[]) {
      expect(text).toContain(`# HELP ${name} ${METRICS[name].help}\n# TYPE ${name} ${METRICS[name].type}\n`);
    }
  });
});

describe("a meter", () => {
  it("has bounded label sets, whatever it is told", async () => {
    const meter = createMeter();
    for (let each = 0; each < 5_000; each += 1) meter.count("consentry_articles_total", `art. ${each}`);
    const { values } = await meter.snapshot();
    const series = values.consentry_articles_total ?? [];
    expect(series.length).toBeLessThanOrEqual(1_001);
    expect(series.find(({ labels }) => labels[0] === "others")?.value).toBe(4_000);
  });

  it("leaves out what cannot be read now, and tells the rest", async () => {
    const meter = createMeter();
    meter.count("consentry_entries_total", "received");
    meter.read("consentry_ledger_lag_seconds", async () => Promise.reject(new Error("EIO")));
    const { values } = await meter.snapshot();
    expect(values.consentry_ledger_lag_seconds).toEqual([]);
    expect(values.consentry_entries_total).toHaveLength(1);
  });

  it("has buckets that rise", () => {
    expect([...BUCKETS].sort((a, b) => a - b)).toEqual([...BUCKETS]);
  });
});
