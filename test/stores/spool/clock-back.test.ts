/** What lies in the spool when a clock that was hours ahead is put right. */
import { describe, expect, it } from "vitest";
import type { Lease } from "../../../src/delivery/queue/spool.ts";
import { newMail, parcel, START_MS, settleAll, type TestSpool, testSpool } from "../../helpers/spool.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const AHEAD_MS = 5 * HOUR_MS;
const ids = (leases: readonly Lease[]): string[] => leases.map(({ mail }) => mail.id).sort();

/** A spool whose clock is five hours ahead. */
const ahead = (): Promise<TestSpool> => testSpool({ clock: { nowMs: START_MS + AHEAD_MS } });

/** As an attempt that failed settles it. */
async function failed(spool: TestSpool, lease: Lease | undefined, nextAt: number): Promise<void> {
  const { changes, ...settlement } = settleAll(lease as Lease, { state: "waiting", nextAt });
  const reply = { code: 450, enhanced: "4.2.0", lines: ["busy"] };
  const last = { kind: "later", reply, scope: "recipient", at: spool.clock.nowMs } as const;
  const tried = [...changes].map(
    ([place, change]) => [place, { ...change, recipient: { ...change.recipient, last } }] as const,
  );
  await spool.settle({ ...settlement, changes: new Map(tried) });
}

describe("mail that was queued while the clock was ahead", () => {
  it("is due at once when the clock is right again, and lives no longer than other mail", async () => {
    const spool = await ahead();
    await spool.put("m1");
    spool.clock.nowMs = START_MS;
    expect(await spool.due()).toEqual([]);
    expect(await spool.keepTime()).toBe(1);
    const [lease] = await spool.due();
    expect(lease?.mail).toMatchObject({ id: "m1", arrivedAt: START_MS, expiresAt: START_MS + 5 * DAY_MS });
    expect(await spool.keepTime(), "once").toBeUndefined();
    await spool.settle(settleAll(lease as Lease, { state: "waiting", nextAt: START_MS + 30 * DAY_MS }));
    expect(ids(await spool.takeLate({ nowMs: START_MS + DAY_MS, max: 9 }))).toEqual(["m1"]);
  });

  it("is brought back by the next start, where the clock was put right meanwhile", async () => {
    const first = await ahead();
    await first.put("m1");
    await first.close();
    const spool = await testSpool({ dir: first.dir });
    expect(await spool.keepTime()).toBe(1);
    expect(ids(await spool.due())).toEqual(["m1"]);
  });

  it("waits as long as its schedule said when it had been tried meanwhile, whenever it had come", async () => {
    const spool = await testSpool();
    await spool.put("m1");
    spool.clock.nowMs += AHEAD_MS;
    await spool.ping();
    await failed(spool, (await spool.due())[0], spool.clock.nowMs + 10 * MINUTE_MS);
    spool.clock.nowMs = START_MS + MINUTE_MS;
    expect(await spool.keepTime()).toBe(1);
    expect(await spool.due()).toEqual([]);
    spool.clock.nowMs += 10 * MINUTE_MS - 1;
    expect(await spool.due()).toEqual([]);
    spool.clock.nowMs += 1;
    expect(ids(await spool.due())).toEqual(["m1"]);
  });

  it("is brought back however many there are", async () => {
    const spool = await ahead();
    for (let each = 0; each < 1_203; each += 1) await spool.put(`m${each}`, { to: [`b@d${each % 601}.example`] });
    spool.clock.nowMs = START_MS;
    expect(await spool.keepTime()).toBe(1_203);
    expect(await spool.due({ max: 2_000 })).toHaveLength(1_203);
  }, 60_000);

  it("is held for as many days as it was to be", async () => {
    const spool = await ahead();
    const until = spool.clock.nowMs + 7 * DAY_MS;
    await spool.put("m1", { hold: { reason: "x", since: spool.clock.nowMs, until } });
    spool.clock.nowMs = START_MS;
    expect(await spool.keepTime()).toBe(1);
    expect(await spool.takeLate({ nowMs: START_MS + 7 * DAY_MS - 1, max: 9 })).toEqual([]);
    const [lease] = await spool.takeLate({ nowMs: START_MS + 7 * DAY_MS, max: 9 });
    expect(lease?.mail.hold).toMatchObject({ since: START_MS, until: START_MS + 7 * DAY_MS });
  });

  it("belongs to who is trying it, and is brought back all the same", async () => {
    const spool = await ahead();
    await spool.put("m1", { to: ["b@one.example", "c@two.example"] });
    const [lease] = await spool.due({ max: 1 });
    spool.clock.nowMs = START_MS;
    expect(await spool.keepTime()).toBe(1);
    const [other, ...more] = await spool.due();
    expect([other?.turn, more]).toEqual(["two.example", []]);
    await spool.settle(settleAll(lease as Lease, { state: "delivered" }));
    await spool.settle(settleAll(other as Lease, { state: "delivered" }));
    expect((await spool.size()).mails).toBe(0);
  });
});

describe("what is not the clock's doing", () => {
  it("stays: what a gate has put off for a day, what is held, what was tried in its time", async () => {
    const spool = await testSpool();
    await spool.put("gated");
    await failed(spool, (await spool.due())[0], START_MS + 20 * HOUR_MS);
    const until = START_MS + 7 * DAY_MS;
    await spool.put("held", { hold: { reason: "x", since: START_MS, until } });
    spool.clock.nowMs += AHEAD_MS;
    await spool.ping();
    spool.clock.nowMs = START_MS + MINUTE_MS;
    expect(await spool.keepTime()).toBe(0);
    spool.clock.nowMs = START_MS + 20 * HOUR_MS - 1;
    expect(await spool.due()).toEqual([]);
    spool.clock.nowMs += 1;
    expect(ids(await spool.due())).toEqual(["gated"]);
    expect(await spool.takeLate({ nowMs: until - 1, max: 9 })).not.toContainEqual(
      expect.objectContaining({ mail: expect.objectContaining({ id: "held" }) }),
    );
  });

  it("is not looked for where the clock makes small steps", async () => {
    const spool = await testSpool();
    await spool.put("m1");
    spool.clock.nowMs -= 9_000;
    expect(await spool.keepTime()).toBeUndefined();
  });
});

it("a destination that was left alone meanwhile is tried again within minutes", async () => {
  const spool = await ahead();
  await spool.setBackoff("one.example", { failures: 3, untilMs: spool.clock.nowMs + 30 * MINUTE_MS });
  await spool.put("m1");
  spool.clock.nowMs = START_MS;
  await spool.keepTime();
  spool.clock.nowMs += 5 * MINUTE_MS;
  expect(ids(await spool.due())).toEqual(["m1"]);
});

it.each([AHEAD_MS, -AHEAD_MS])(
  "nobody loses his leases or what he takes in to one that started %i ms away, beside him",
  async (awayMs) => {
    const steady = { ms: 0 };
    const options = { steadyMs: () => steady.ms, service: "one" };
    const spool = await testSpool(options);
    await spool.put("m1");
    await spool.due();
    await spool.arrive(newMail("m2", spool.clock.nowMs), parcel(Buffer.from("Subject: m2\r\n\r\nm2\r\n")));
    const next = await testSpool({ ...options, dir: spool.dir, clock: { nowMs: spool.clock.nowMs + awayMs } });
    const pass = (ms: number): void => {
      steady.ms += ms;
      next.clock.nowMs += ms;
    };
    pass(50_000);
    expect(await next.recover()).toEqual({ leases: 0, arrived: 0, forgotten: 0 });
    // Silent by the clock that nobody sets.
    pass(11_000);
    expect(await next.recover()).toEqual({ leases: 1, arrived: 0, forgotten: 1 });
  },
);

it("nobody loses his leases because the clock has jumped", async () => {
  const steady = { ms: 0 };
  const spool = await testSpool({ steadyMs: () => steady.ms });
  await spool.put("m1");
  await spool.due();
  for (const jumpMs of [AHEAD_MS, -AHEAD_MS]) {
    spool.clock.nowMs += jumpMs;
    expect(await spool.recover()).toMatchObject({ leases: 0 });
    steady.ms += 10_000;
    spool.clock.nowMs += 10_000;
    expect(await spool.recover()).toMatchObject({ leases: 0 });
  }
  // Silent by both clocks.
  steady.ms += 61_000;
  spool.clock.nowMs += 61_000;
  expect(await spool.recover()).toMatchObject({ leases: 1 });
});
