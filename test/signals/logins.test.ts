import { describe, expect, it } from "vitest";
import { conductOn, type Setting } from "../helpers/conduct.ts";
import { clientOf, sessionOf } from "../helpers/described.ts";
import { until } from "../helpers/wait.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const from = (ip: string) => sessionOf({ client: clientOf(), login: "shop", ip });
const look = async ({ conduct }: Setting, ip: string) => (await conduct.alarm(from(ip)))?.why;

/** Sends in pieces of twenty, and lets the store be told of each. */
async function send({ conduct, clock }: Setting, recipients: number): Promise<void> {
  for (let left = recipients; left > 0; left -= 20) {
    conduct.ended({ session: from("198.51.100.7"), mailId: "m" }, Math.min(20, left));
    await clock.pass(1_000);
    for (let i = 0; i < 12; i += 1) await new Promise((resolve) => setImmediate(resolve));
  }
}

describe("a login that suddenly comes from many networks", () => {
  it("is held, once, and named", async () => {
    const setting = conductOn({ login: { networksMax: 3 } });
    for (let i = 1; i <= 3; i += 1) expect(await look(setting, `198.51.${i}.7`)).toBeUndefined();
    expect(await look(setting, "198.51.4.7")).toBe("networks");
    expect(await look(setting, "198.51.1.7"), "from its old network too").toBe("networks");
    expect(setting.blocks).toHaveLength(1);
    expect(setting.blocks[0]).toMatchObject({
      block: {
        subject: "client:shop",
        action: "hold",
        reason: "hijacked-login",
        article: "Order 38 (CN 2006) art. 12(1)",
      },
      facts: { client: "shop", networks: 4 },
    });
    expect(await setting.conduct.standing(from("198.51.1.7"))).toMatchObject({ block: { action: "hold" } });
  });

  it("is told from one that uses many addresses of few networks", async () => {
    const setting = conductOn({ login: { networksMax: 3 } });
    for (let i = 1; i <= 200; i += 1) expect(await look(setting, `198.51.${i % 3}.${i}`)).toBeUndefined();
    for (let i = 1; i <= 200; i += 1) expect(await look(conductOn(), `2001:db8:5:${i}::1`)).toBeUndefined();
  });

  it("is held for few networks that lie far apart", async () => {
    const setting = conductOn({ login: { regionsMax: 3 } });
    for (const ip of ["1.2.3.4", "41.2.3.4", "90.1.1.1"]) expect(await look(setting, ip)).toBeUndefined();
    expect(await look(setting, "177.1.1.1")).toBe("regions");
  });

  it("is seen over all nodes", async () => {
    const one = conductOn({ login: { networksMax: 3 } });
    const other = conductOn({ login: { networksMax: 3 }, sharing: one });
    for (let i = 1; i <= 4; i += 1) await look(i % 2 ? one : other, `198.51.${i}.7`);
    expect([...one.blocks, ...other.blocks]).toHaveLength(1);
  });

  it("is not held when its networks come slowly, one after the other", async () => {
    const setting = conductOn({ login: { networksMax: 3 } });
    for (let i = 1; i <= 20; i += 1) {
      expect(await look(setting, `198.51.${i}.7`)).toBeUndefined();
      await setting.clock.pass(HOUR / 2);
    }
  });

  it("asks the store once for each network, not for each mail", async () => {
    const setting = conductOn();
    await look(setting, "198.51.100.7");
    await setting.conduct.standing(from("198.51.100.8"));
    expect(setting.conduct.alarm(from("198.51.100.8")), "an answer at once, and none").toBeUndefined();
  });

  it("is free again when the operator has let it off, and counted anew", async () => {
    const setting = conductOn({ login: { networksMax: 2 } });
    for (let i = 1; i <= 3; i += 1) await look(setting, `198.51.${i}.7`);
    const { createBlockRegister } = await import("../../src/signals/blocks.ts");
    await setting.clock.pass(1_000);
    await createBlockRegister(setting.store.tables, setting.clock).lift("client:shop");
    await setting.clock.pass(4_000);
    expect(await look(setting, "198.51.1.7")).toBeUndefined();
    expect(await setting.conduct.standing(from("198.51.1.7"))).not.toHaveProperty("block");
  });
});

describe("a login that writes to many times as many people as ever", () => {
  it("is held beyond what is never too much, where nothing is known of it, and that is no habit afterwards", async () => {
    const setting = conductOn({ login: { recipientsMin: 50, usualTimes: 3, holdMs: HOUR } });
    await send(setting, 40);
    expect(setting.blocks).toEqual([]);
    await send(setting, 400);
    expect(setting.blocks).toHaveLength(1);
    await setting.clock.pass(DAY);
    await send(setting, 160);
    expect(setting.blocks.map(({ facts }) => facts.usual)).toEqual([0, 40]);
  });

  it("is let through while it stays near its past", async () => {
    const setting = conductOn({ login: { recipientsMin: 250, usualTimes: 3 } });
    for (let day = 0; day < 4; day += 1) {
      await send(setting, 200);
      await setting.clock.pass(DAY);
    }
    await send(setting, 560);
    expect(setting.blocks).toEqual([]);
    await send(setting, 100);
    await until("a block", () => setting.blocks.length > 0);
    expect(setting.blocks[0]?.facts).toMatchObject({ client: "shop", usual: 200, why: "recipients" });
  });

  it("forgets what is longer ago than fourteen days", async () => {
    const setting = conductOn({ login: { recipientsMin: 100, usualTimes: 2 } });
    await send(setting, 90);
    await setting.clock.pass(20 * DAY);
    await send(setting, 20);
    const row = await setting.store.tables.get("logins", { partition: "client:shop", id: "usual" });
    expect(row?.value).toHaveLength(1);
  });

  it("does not count those who are known by their network", async () => {
    const setting = conductOn({ login: { recipientsMin: 10 } });
    for (let i = 0; i < 50; i += 1)
      setting.conduct.ended({ session: sessionOf({ client: clientOf() }), mailId: "m" }, 20);
    expect(setting.blocks).toEqual([]);
    expect(await setting.store.tables.get("logins", { partition: "client:shop", id: "usual" })).toBeUndefined();
  });
});
