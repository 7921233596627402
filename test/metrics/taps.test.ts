import { describe, expect, it } from "vitest";
import { Unavailable } from "../../src/kit/trouble.ts";
import type { Happening } from "../../src/ledger/recorder.ts";
import { createMeter } from "../../src/metrics/meter.ts";
import { countedRecorder, timedJournal, timedSettings, timedStore } from "../../src/metrics/taps.ts";
import { compileSettings } from "../../src/pipeline/settings.ts";
import { RULES } from "../../src/rules/index.ts";
import { createMemoryJournal } from "../../src/stores/memory/journal.ts";
import { createMemoryStore } from "../../src/stores/memory/store.ts";
import { handClock } from "../helpers/hand-clock.ts";

describe("the tap of the recorder", () => {
  it("counts what was judged by door, direction and verdict, rules and articles, and names nobody", async () => {
    const meter = createMeter();
    const { record } = countedRecorder({ record: async () => undefined }, meter);
    const mail: Happening = {
      event: "refused",
      door: "smtp",
      direction: "in",
      sender: "secret.sender@stranger.example",
      recipient: "secret.recipient@example.com",
      clientIp: "192.0.2.77",
      helo: "secret.helo.example",
      login: "secret-login",
      verdict: "reject",
      rules: ["advertising/subject-label", "~envelope/helo"],
      articles: ["Order 38 (CN 2006) art. 13(3)"],
    };
    await record([mail, { ...mail, event: "handed-over", verdict: "accept" }]);
    const { values } = await meter.snapshot();
    expect(values).toEqual({
      consentry_entries_total: [
        { labels: ["refused"], value: 1 },
        { labels: ["handed-over"], value: 1 },
      ],
      consentry_verdicts_total: [{ labels: ["smtp", "in", "reject"], value: 1 }],
      consentry_findings_total: [
        { labels: ["advertising/subject-label", "enforce", "reject"], value: 1 },
        { labels: ["envelope/helo", "watch", "reject"], value: 1 },
      ],
      consentry_articles_total: [{ labels: ["Order 38 (CN 2006) art. 13(3)"], value: 1 }],
    });
    expect(JSON.stringify(values)).not.toMatch(/secret|192\.0\.2/);
  });

  it("counts nothing that could not be written down", async () => {
    const meter = createMeter();
    const failing = { record: async () => Promise.reject(new Unavailable("ledger", "full")) };
    await expect(countedRecorder(failing, meter).record([{ event: "received" }])).rejects.toThrow("full");
    expect((await meter.snapshot()).values).toEqual({});
  });
});

describe("the tap of the journal", () => {
  it("times what somebody waits for, counts what fails, and is otherwise the journal", async () => {
    const meter = createMeter();
    const journal = createMemoryJournal();
    const timed = timedJournal(journal, meter);
    await timed.append([{ id: "A", at: 1, event: "received" }]);
    await timed.append([{ id: "B", at: 2, event: "received" }], "soon");
    const found: string[] = [];
    for await (const { id } of timed.find({})) found.push(id);
    expect(found).toEqual(["A", "B"]);
    const failing = timedJournal({ ...journal, append: async () => Promise.reject(new Error("ENOSPC")) }, meter);
    await expect(failing.append([])).rejects.toThrow("ENOSPC");
    const { histograms, values } = await meter.snapshot();
    expect(histograms.consentry_ledger_seconds?.[0]?.counts.reduce((sum, each) => sum + each, 0)).toBe(1);
    expect(values.consentry_ledger_errors_total?.[0]?.value).toBe(1);
  });
});

describe("the tap of the store", () => {
  it("answers as the store does, and counts each operation and each failure", async () => {
    const meter = createMeter();
    const store = createMemoryStore(handClock());
    const timed = timedStore(store, meter);
    const key = { partition: "p", id: "i" };
    expect(await timed.tables.put("t", key, "value", 0)).toBe(1);
    expect(await timed.tables.get("t", key)).toEqual({ value: "value", version: 1 });
    expect(await timed.marks.first(key, 1_000)).toBe(true);
    const rows: unknown[] = [];
    for await (const row of timed.tables.list("t", "p")) rows.push(row);
    expect(rows).toHaveLength(1);
    const away = timedStore({ ...store, ping: async () => Promise.reject(new Unavailable("store", "away")) }, meter);
    await expect(away.ping()).rejects.toThrow("away");
    const { histograms, values } = await meter.snapshot();
    const operations = (histograms.consentry_store_seconds ?? []).map(({ labels }) => labels[0]).sort();
    expect(operations).toEqual(["first", "get", "ping", "put"]);
    expect(values.consentry_store_errors_total).toEqual([{ labels: ["ping"], value: 1 }]);
  });
});

describe("the tap of the rules", () => {
  it("leaves every rule as it was but for its looks, and times each 32nd", async () => {
    const meter = createMeter();
    const settings = compileSettings({ default: "enforce" }, RULES, []);
    const timed = timedSettings(settings, meter);
    for (const [index, { rule, ...rest }] of timed.entries()) {
      const { rule: original, ...others } = settings[index] as (typeof settings)[number];
      expect({ ...rule, looks: 0 }).toEqual({ ...original, looks: 0 });
      expect(Object.keys(rule.looks)).toEqual(Object.keys(original.looks));
      expect(rest).toEqual(others);
    }
    let looks = 0;
    const [counted] = timedSettings(
      [
        {
          ...(settings[0] as (typeof settings)[number]),
          rule: { ...RULES[0], looks: { mail: () => (looks += 1) } } as never,
        },
      ],
      meter,
    );
    const look = counted?.rule.looks.mail as unknown as () => number;
    for (let each = 1; each <= 64; each += 1) expect(look()).toBe(each);
    expect(looks).toBe(64);
    const { histograms } = await meter.snapshot();
    expect(histograms.consentry_rule_seconds?.[0]?.counts.reduce((sum, each) => sum + each, 0)).toBe(2);
  });
});
