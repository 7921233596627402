import { describe, expect, it } from "vitest";
import { createWatch, type Watched } from "../../../src/delivery/carrier/watch.ts";
import type { Log } from "../../../src/kit/log.ts";
import { until } from "../../helpers/wait.ts";

/** Lines as they would be written. */
function noted(): { log: Log; lines: string[] } {
  const lines: string[] = [];
  const warn = (facts: object, text: string): void => void lines.push(`${text} ${JSON.stringify(facts)}`);
  return { log: { warn } as unknown as Log, lines };
}

const attempt = (): Watched => ({
  destination: "b.example",
  mailId: "01MAIL",
  sinceMs: performance.now(),
  step: "RCPT",
  server: "mx.b.example",
  connection: undefined,
});

describe("who watches deliveries", () => {
  it("names what is slow, with destination, server and step", async () => {
    const { log, lines } = noted();
    const watch = createWatch({ log, slowMs: 30, endMs: 10_000, now: () => performance.now() });
    const ended = watch.begin(attempt());
    await until("it is named", () => lines.length > 0);
    expect(lines[0]).toBe(
      'a delivery is slow {"destination":"b.example","step":"RCPT","server":"mx.b.example","mail":"01MAIL","seconds":0}',
    );
    expect(watch.running).toBe(1);
    ended();
    expect(watch.running).toBe(0);
    watch.stop();
  });

  it("says nothing of what is in time", async () => {
    const { log, lines } = noted();
    const watch = createWatch({ log, slowMs: 20, endMs: 20, now: () => performance.now() });
    watch.begin(attempt())();
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(lines).toEqual([]);
    watch.stop();
  });

  it("names what it ends", async () => {
    const { log, lines } = noted();
    const watch = createWatch({ log, slowMs: 10_000, endMs: 20, now: () => performance.now() });
    const ended = watch.begin(attempt());
    await until("it is ended", () => lines.length > 0);
    expect(lines[0]).toMatch(/^a delivery is ended: it is over its time .*"step":"RCPT"/);
    ended();
    watch.stop();
  });
});
