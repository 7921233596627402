import { describe, expect, it } from "vitest";
import type { Lease } from "../../../src/delivery/queue/spool.ts";
import { openSpoolDesk } from "../../../src/stores/spool/desk.ts";
import { openEnvironment } from "../../../src/stores/spool/open.ts";
import { NAMES } from "../../../src/stores/spool/rows.ts";
import {
  type MailOptions,
  newMail,
  parcel,
  START_MS,
  settleAll,
  type TestSpool,
  testSpool,
} from "../../helpers/spool.ts";

const MINUTE_MS = 60_000;
const CONTENT = parcel(Buffer.from("Subject: x\r\n\r\n"));
const ids = (leases: readonly Lease[]): string[] => leases.map(({ mail }) => mail.id);

/** The databases that have rows, but for those that say who is there. */
async function rowsIn(dir: string): Promise<Record<string, number>> {
  const environment = openEnvironment(dir, 5_000);
  const counts = await environment.read((dbs) =>
    NAMES.map((name) => [name, dbs[name].getKeysCount()] as const).filter(([, count]) => count > 0),
  );
  await environment.close();
  const { meta: _, owners: _owners, ...rows } = Object.fromEntries(counts);
  return rows;
}

async function stateOf(spool: TestSpool, id: string): Promise<string | undefined> {
  const desk = openSpoolDesk(spool.dir, 5_000);
  const found = await desk.find(id);
  await desk.close();
  return found?.state;
}

async function arrived(spool: TestSpool, id: string, more: MailOptions = {}): Promise<Lease | undefined> {
  await spool.arrive(newMail(id, START_MS, more), CONTENT);
  return (await spool.fresh([id]))[0];
}

describe("a mail that is tried as soon as it has come", () => {
  it("stands in no index, and leaves nothing when it is delivered", async () => {
    const spool = await testSpool();
    const lease = (await arrived(spool, "m1")) as Lease;
    expect(lease).toMatchObject({ turn: "one.example", due: [0], isFresh: true, mail: { id: "m1" } });
    expect(await spool.due()).toEqual([]);
    expect(await rowsIn(spool.dir)).toEqual({ mails: 1, bodies: 1, arriving: 1 });
    await spool.settle(settleAll(lease, { state: "delivered" }));
    expect(await rowsIn(spool.dir)).toEqual({});
  });

  it("waits for its turn like others when it was not delivered", async () => {
    const spool = await testSpool();
    const lease = (await arrived(spool, "m1")) as Lease;
    await spool.settle(settleAll(lease, { state: "waiting", nextAt: START_MS + MINUTE_MS }));
    expect(await stateOf(spool, "m1")).toBe("deferred");
    spool.clock.nowMs += MINUTE_MS;
    expect(ids(await spool.due())).toEqual(["m1"]);
    expect(await rowsIn(spool.dir)).toMatchObject({ leases: 1, late: 1 });
  });

  it("is kept while its sender has not been told of a failure", async () => {
    const spool = await testSpool();
    const lease = (await arrived(spool, "m1")) as Lease;
    await spool.settle({ ...settleAll(lease, { state: "failed", isTold: false }), lateAt: START_MS + 1_000 });
    const late = await spool.takeLate({ nowMs: START_MS + 1_000, max: 10 });
    expect(late.map(({ untold }) => untold)).toEqual([[0]]);
  });

  it("is leased like others when that takes its time, and settled the same way", async () => {
    const spool = await testSpool();
    const lease = (await arrived(spool, "m1")) as Lease;
    expect(await stateOf(spool, "m1")).toBe("arriving");
    await spool.keep(lease);
    expect(await stateOf(spool, "m1")).toBe("leased");
    expect(await spool.due()).toEqual([]);
    await spool.settle(settleAll(lease, { state: "delivered" }));
    expect(await rowsIn(spool.dir)).toEqual({});
  });

  it("is due at once when it is given back, once", async () => {
    const spool = await testSpool();
    const lease = (await arrived(spool, "m1")) as Lease;
    await spool.giveBack([lease]);
    await spool.confirm({ id: "m1" });
    expect(ids(await spool.due())).toEqual(["m1"]);
    await spool.confirm({ id: "m1" });
    expect(await spool.due()).toEqual([]);
  });

  it("is not put in again by a word that comes late", async () => {
    const spool = await testSpool();
    const lease = (await arrived(spool, "m1")) as Lease;
    await spool.settle(settleAll(lease, { state: "delivered" }));
    await spool.confirm({ id: "m1" });
    await spool.keep(lease);
    expect(await spool.fresh(["m1"])).toEqual([]);
    expect(await rowsIn(spool.dir)).toEqual({});
  });
});

describe("a mail that has come and may not be tried at once", () => {
  const suspension = { by: "li", since: START_MS };

  it("is one whose destination is left alone", async () => {
    const spool = await testSpool();
    await spool.setBackoff("one.example", { failures: 1, untilMs: START_MS + MINUTE_MS });
    expect(await arrived(spool, "m1")).toBeUndefined();
    await spool.confirm({ id: "m1" });
    expect(await spool.due()).toEqual([]);
    spool.clock.nowMs += MINUTE_MS;
    expect(ids(await spool.due())).toEqual(["m1"]);
  });

  it.each([
    ["destination is suspended", { destination: "one.example" }],
    ["client is suspended", { client: "shop" }],
  ])("is one whose %s", async (_, whom) => {
    const spool = await testSpool();
    const desk = openSpoolDesk(spool.dir, 5_000);
    await desk.suspend(whom, suspension);
    expect(await arrived(spool, "m1", { client: "shop" })).toBeUndefined();
    await desk.resume(whom);
    await desk.close();
    expect(await arrived(spool, "m2", { client: "shop" })).toBeDefined();
  });

  it.each<[string, MailOptions]>([
    ["that is held", { hold: { reason: "rule", since: START_MS, until: START_MS + MINUTE_MS } }],
    ["for several destinations", { to: ["b@one.example", "c@two.example"] }],
  ])("is one %s", async (_, more) => {
    const spool = await testSpool();
    expect(await arrived(spool, "m1", more)).toBeUndefined();
  });
});

describe("who took a mail in, and died", () => {
  /** Makes him a process that is not there, and his helper one that is (this one) or is not. */
  async function killed(dir: string, hasHelper: boolean): Promise<void> {
    const environment = openEnvironment(dir, 5_000);
    await environment.write((dbs) => {
      const mine = [...dbs.owners.getRange()].map(({ value }) => JSON.parse(value))[0];
      const gone = { pid: 2 ** 22 + 1, started: "1" };
      void dbs.owners.put(Buffer.from("dead"), JSON.stringify({ ...mine, ...gone }));
      const helper = { ...mine, service: undefined, parent: gone, ...(!hasHelper && { started: "2" }) };
      void dbs.owners.put(Buffer.from("helper"), JSON.stringify(helper));
      for (const key of [...dbs.arriving.getKeys()]) void dbs.arriving.put(Buffer.from(key), "dead");
    });
    await environment.close();
  }

  it("leaves it to his helper, as long as there is one", async () => {
    const spool = await testSpool({ wereEntered: async () => new Set(["m1"]) });
    const lease = (await arrived(spool, "m1")) as Lease;
    await killed(spool.dir, true);
    for (let i = 0; i < 2; i += 1) expect(await spool.recover()).toEqual({ leases: 0, arrived: 0, forgotten: 0 });
    await spool.settle(settleAll(lease, { state: "delivered" }));
    expect(await rowsIn(spool.dir)).toEqual({});
  });

  it("leaves it to the ledger when his helper is gone, too", async () => {
    const spool = await testSpool({ wereEntered: async () => new Set(["m1"]) });
    const lease = (await arrived(spool, "m1")) as Lease;
    await arrived(spool, "m2");
    await killed(spool.dir, false);
    expect(await spool.recover()).toEqual({ leases: 0, arrived: 1, forgotten: 1 });
    expect(ids(await spool.due())).toEqual(["m1"]);
    await spool.settle(settleAll(lease, { state: "delivered" }));
    expect(await stateOf(spool, "m1")).toBeUndefined();
  });
});
