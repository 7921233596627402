import { describe, expect, it } from "vitest";
import { createBulkCounter, NOT_COUNTED } from "../../src/signals/bulk.ts";
import { createMemoryMarks } from "../../src/stores/memory/marks.ts";
import { handClock } from "../helpers/hand-clock.ts";

const HOUR_MS = 3_600_000;
const KEYS = ["0:a", "1:b", "2:c", "3:d", "4:e", "5:f"];

function counter() {
  const clock = handClock(1_000_000);
  const bulk = createBulkCounter(createMemoryMarks(clock), 24 * HOUR_MS);
  const see = (n: number, more: object = {}) =>
    bulk.see({
      keys: KEYS,
      recipients: [`r${n}@example.com`],
      sender: "s@x.example",
      network: "192.0.2.0/24",
      ...more,
    });
  return { clock, bulk, see };
}

describe("copies of a text", () => {
  it("are counted by different recipients, whoever counts", async () => {
    const { see } = counter();
    for (let n = 1; n < 200; n += 1) await see(n);
    expect((await see(200)).recipients).toBe(200);
    expect((await see(7)).recipients, "a mail tried again is no other copy").toBe(200);
  });

  it("count also where only some keys are the same", async () => {
    const { see } = counter();
    for (let n = 1; n <= 20; n += 1) await see(n, { keys: ["0:a", "1:b", `2:${n}`, `3:${n}`, `4:${n}`, `5:${n}`] });
    expect((await see(21)).recipients).toBe(21);
    expect((await see(22, { keys: ["0:a", "1:x", "2:x", "3:x", "4:x", "5:x"] })).recipients, "one key is chance").toBe(
      1,
    );
  });

  it("are counted by senders and networks once there are some", async () => {
    const { see } = counter();
    expect(await see(1)).toEqual({ recipients: 1, senders: 1, networks: 1 });
    for (let n = 2; n <= 30; n += 1) await see(n, { sender: `s${n}@x.example`, network: `10.0.${n % 7}.0/24` });
    const { senders, networks } = await see(31);
    expect(senders).toBeGreaterThanOrEqual(20);
    expect(networks).toBeGreaterThanOrEqual(7);
  });

  it("of one mail to very many are counted without so many questions", async () => {
    const { see } = counter();
    const recipients = Array.from({ length: 1_000 }, (_, n) => `r${n}@example.com`);
    expect((await see(0, { recipients })).recipients).toBe(1_000);
  });

  it("are forgotten when their time is over", async () => {
    const { clock, see } = counter();
    for (let n = 0; n < 50; n += 1) await see(n);
    await clock.pass(25 * HOUR_MS);
    expect((await see(100)).recipients).toBe(1);
  });

  it("are not counted for a text that is too short to have a fingerprint", async () => {
    const { see } = counter();
    expect(await see(1, { keys: [] })).toEqual(NOT_COUNTED);
  });
});
