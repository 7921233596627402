/** Mail that has just come, on a real spool, with attempts that end when a test says so. */
import { describe, expect, it, onTestFinished } from "vitest";
import { createFresh, type Fresh } from "../../../src/delivery/queue/fresh.ts";
import { createHands } from "../../../src/delivery/queue/hands.ts";
import { createLog } from "../../../src/kit/log.ts";
import { openSpoolDesk } from "../../../src/stores/spool/desk.ts";
import { newMail, parcel, START_MS, settleAll, type TestSpool, testSpool } from "../../helpers/spool.ts";
import { until } from "../../helpers/wait.ts";

const log = createLog("error", "json");
const HANDS = 8;

interface Bench {
  readonly spool: TestSpool;
  readonly fresh: Fresh;
  /** Ids of the mails that are being tried, in the order in which they began. */
  readonly begun: string[];
  readonly over: string[];
  /** Delivers the mail. */
  end(id: string): void;
  come(...ids: string[]): Promise<boolean>;
  stateOf(id: string): Promise<string | undefined>;
}

async function bench(width = HANDS): Promise<Bench> {
  const spool = await testSpool();
  const desk = openSpoolDesk(spool.dir, 5_000);
  onTestFinished(() => desk.close());
  const begun: string[] = [];
  const over: string[] = [];
  const ends = new Map<string, () => void>();
  const hands = createHands({
    max: HANDS,
    log,
    onFree: () => fresh.begin(),
    onEnd: (lease) => fresh.ended(lease),
  });
  const fresh: Fresh = createFresh({
    ...{ spool, log, hands, handsMax: HANDS },
    width: () => width,
    room: (destination) => width - hands.of(destination),
    onConfirmed: () => undefined,
    onOver: (id) => void over.push(id),
    async work(lease, onTried) {
      begun.push(lease.mail.id);
      await new Promise<void>((resolve) => ends.set(lease.mail.id, resolve));
      onTried();
      await spool.settle(settleAll(lease, { state: "delivered" }));
    },
  });
  return {
    spool,
    fresh,
    begun,
    over,
    end: (id) => ends.get(id)?.(),
    async come(...ids) {
      for (const id of ids) await spool.arrive(newMail(id, START_MS), parcel(Buffer.from("Subject: x\r\n\r\n")));
      return fresh.bring(ids);
    },
    stateOf: async (id) => (await desk.find(id))?.state,
  };
}

describe("mail that has just come", () => {
  it("is tried in its order, as many at a time as the destination bears, and is over when it is settled", async () => {
    const { come, begun, end, over, stateOf } = await bench(2);
    expect(await come("m1", "m2", "m3")).toBe(true);
    await until("the first are tried", () => begun.length === 2);
    expect(over).toEqual([]);
    end("m2");
    await until("the third is tried", () => begun.length === 3);
    expect(begun).toEqual(["m1", "m2", "m3"]);
    await until("the second is over", () => over.length === 1);
    expect([over, await stateOf("m2")]).toEqual([["m2"], undefined]);
  });

  it("leaves a part of the hands to mail that waits in the index", async () => {
    const { come, begun } = await bench();
    await come("m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8");
    await until("most are tried", () => begun.length === 6);
    expect(begun.length).toBe(6);
  });

  it("leaves a part of a destination's width to mail for it that waits in the index", async () => {
    const { come, begun, fresh, end } = await bench(4);
    fresh.othersWait("one.example");
    await come("m1", "m2", "m3", "m4");
    await until("some are tried", () => begun.length === 3);
    end("m1");
    await until("another is tried", () => begun.length === 4);
    expect(begun).toEqual(["m1", "m2", "m3", "m4"]);
  });

  it("does not wait for its turn in front of one place while others wait for it", async () => {
    const { come, begun, fresh, stateOf } = await bench(1);
    fresh.othersWait("one.example");
    await come("m1");
    await until("it is seen that nobody else comes, or it joins them", async () => {
      fresh.look();
      return begun.length === 1 || (await stateOf("m1")) === "queued";
    });
  });

  it("joins the index when it finds no hand in a second", async () => {
    const { come, begun, fresh, stateOf, over, spool } = await bench(1);
    await come("m1", "m2");
    await until("one is tried", () => begun.length === 1);
    await until("the other waits for its turn", async () => {
      fresh.look();
      return (await stateOf("m2")) === "queued";
    });
    await until("that is told", () => over.includes("m2"));
    expect((await spool.due()).map(({ mail }) => mail.id)).toEqual(["m2"]);
  });

  it("is leased where others see it when its attempt lasts a second", async () => {
    const { come, fresh, stateOf, over, end } = await bench();
    await come("m1");
    await until("it is leased", async () => {
      fresh.look();
      return (await stateOf("m1")) === "leased";
    });
    await until("that is told", () => over.includes("m1"));
    end("m1");
    await until("it is delivered", async () => (await stateOf("m1")) === undefined);
  });

  it("joins the index when its destination does not answer, or nothing more is tried", async () => {
    const { come, fresh, stateOf, begun } = await bench(1);
    await come("m1", "m2");
    await until("one is tried", () => begun.length === 1);
    fresh.wasAway("one.example");
    await until("the other waits", async () => (await stateOf("m2")) === "queued");
    await come("m3");
    await fresh.stop();
    await until("the last waits, too", async () => (await stateOf("m3")) === "queued");
    expect(fresh.bring(["m4"])).toBe(false);
  });
});
