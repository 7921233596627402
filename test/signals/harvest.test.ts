import { describe, expect, it } from "vitest";
import { askFor, conductOn, FOUND, type Setting, UNKNOWN } from "../helpers/conduct.ts";
import { clientOf, sessionOf } from "../helpers/described.ts";
import { until } from "../helpers/wait.ts";

const stranger = sessionOf({ ip: "203.0.113.9" });
/** Names no two of which are similar. */
const NAMES = ["ann", "benjamin", "li.wei", "nguyen", "office", "sales-team", "x.ray", "quartz", "omega9x", "vega.77b"];
const names = (count: number, from = 0): string[] =>
  Array.from(
    { length: count },
    (_, i) => `${NAMES[(from + i) % NAMES.length]}${"qwzkv".repeat(1 + Math.floor((from + i) / NAMES.length))}`,
  );
const numbered = (count: number): string[] => Array.from({ length: count }, (_, i) => `user${100 + i}`);

/** What was noticed is told to the store without its own answer waiting: the next question does. */
const score = async (setting: Setting, session = stranger): Promise<number> => {
  await askFor(setting, session, [], FOUND);
  await new Promise((resolve) => setImmediate(resolve));
  return setting.conduct.suspicion(session).score;
};

describe("a stranger who asks for recipients that do not exist", () => {
  it("is suspected from the threshold on, by the share of them", async () => {
    const setting = conductOn({ harvest: { unknownMin: 10, unknownShare: 0.5 } });
    await askFor(setting, stranger, names(9));
    expect(await score(setting)).toBeLessThan(1);
    await askFor(setting, stranger, names(1, 9));
    expect(await score(setting)).toBe(1);
  });

  it("is not suspected when most of his recipients exist", async () => {
    const setting = conductOn();
    for (let i = 0; i < 15; i += 1) {
      await askFor(setting, stranger, names(1, i));
      await askFor(setting, stranger, ["one", "two"], FOUND);
    }
    expect(await score(setting)).toBe(0);
    expect(setting.pauses).toEqual([]);
  });

  it("is suspected sooner when they are of one family, whatever their share", async () => {
    const setting = conductOn({ harvest: { similarMin: 6 } });
    await askFor(setting, stranger, names(60), FOUND);
    await askFor(setting, stranger, numbered(5));
    expect(await score(setting)).toBe(0);
    await askFor(setting, stranger, ["user200"]);
    expect(await score(setting)).toBe(1);
  });

  it.each([
    [451, "4.2.0", "busy"],
    [552, "5.2.2", "a full mailbox"],
    [550, "5.7.1", "a policy"],
    [554, "5.1.1", "no transaction"],
  ])("is not suspected for %i %s: %s", async (code, enhanced) => {
    const setting = conductOn();
    await askFor(setting, stranger, numbered(30), { code, enhanced, lines: [] });
    expect(await score(setting)).toBe(0);
  });

  it("is counted over all nodes: each learns of the others with its first one", async () => {
    const one = conductOn();
    const other = conductOn({ sharing: one });
    await askFor(one, stranger, names(9));
    await score(one);
    await askFor(other, stranger, names(1, 9));
    expect(await score(other)).toBe(1);
  });

  it("is counted by its /64 where it has IPv6", async () => {
    const setting = conductOn();
    for (const [i, name] of names(10).entries()) await askFor(setting, sessionOf({ ip: `2001:db8::${i + 1}` }), [name]);
    expect(await score(setting, sessionOf({ ip: "2001:db8::ffff" }))).toBe(1);
    expect(await score(setting, sessionOf({ ip: "2001:db8:0:1::1" }))).toBe(0);
  });

  it("is forgotten after the window", async () => {
    const setting = conductOn({ harvest: { windowMs: 60_000 } });
    await askFor(setting, stranger, names(12));
    expect(await score(setting)).toBeGreaterThan(1);
    await setting.clock.pass(60_001);
    expect(await score(setting)).toBe(0);
    await askFor(setting, stranger, names(1));
    expect(await score(setting)).toBeLessThan(1);
  });

  it("is not counted when he is the operator's own host", async () => {
    const setting = conductOn();
    const own = sessionOf({ relayNetwork: true });
    await askFor(setting, own, numbered(50));
    expect(await score(setting, own)).toBe(0);
    expect(setting.blocks).toEqual([]);
  });
});

describe("a network whose hosts share the work", () => {
  it("is suspected and blocked as a whole, later than one host", async () => {
    const setting = conductOn({ harvest: { unknownMin: 5, networkFactor: 2, similarMin: 1_000 } });
    for (const [i, name] of names(40).entries()) {
      await askFor(setting, sessionOf({ ip: `203.0.113.${i + 1}` }), [name]);
      await score(setting);
    }
    await until("a block", () => setting.blocks.length > 0);
    expect(setting.blocks[0]?.block).toMatchObject({
      subject: "203.0.113.0/24",
      reason: "harvesting",
      action: "refuse",
    });
    expect(await setting.conduct.standing(sessionOf({ ip: "203.0.113.200" }))).toMatchObject({
      block: { subject: "203.0.113.0/24" },
    });
    expect(await setting.conduct.standing(sessionOf({ ip: "203.0.114.200" }))).toEqual({ sinceMs: 0 });
  });
});

describe("a client in a network that is blocked for what its neighbours did", () => {
  it("sends on", async () => {
    const setting = conductOn({ harvest: { unknownMin: 1 } });
    await askFor(setting, stranger, names(3));
    await until("a block", () => setting.blocks.length > 0);
    expect(await setting.conduct.standing(stranger)).toHaveProperty("block");
    const client = sessionOf({ client: clientOf(), ip: "203.0.113.9" });
    expect(await setting.conduct.standing(client)).toEqual({ sinceMs: 0 });
  });
});

describe("a network whose hosts count addresses up together", () => {
  it("is blocked as a whole, though most of what it asks for exists", async () => {
    const setting = conductOn({ harvest: { similarMin: 3, networkFactor: 2 } });
    for (const [i, name] of numbered(20).entries()) {
      const host = sessionOf({ ip: `203.0.113.${i + 1}` });
      await askFor(setting, host, ["one", "two", "three"], FOUND);
      await askFor(setting, host, [name]);
      await score(setting, host);
    }
    await until("a block", () => setting.blocks.length > 0);
    expect(setting.blocks[0]).toMatchObject({
      block: { subject: "203.0.113.0/24" },
      facts: { networkSimilar: 18, similar: 1 },
    });
  });
});

describe("a suspect", () => {
  it("hears later and later, and of mailboxes that exist no sooner than of others", async () => {
    const setting = conductOn({ harvest: { delayMs: 1_000, delayMaxMs: 8_000, unknownMin: 10 } });
    await askFor(setting, stranger, names(10));
    await score(setting);
    await askFor(setting, stranger, ["one"], FOUND);
    await askFor(setting, stranger, ["two"], UNKNOWN);
    expect(setting.pauses).toEqual([1_000, 1_000]);
    await askFor(setting, stranger, names(7, 11));
    await score(setting);
    expect(setting.pauses.slice(2)).toEqual([1_000, 1_000, 2_000, 2_000, 4_000, 4_000, 4_000]);
  });

  it("hears on the beat, however long the next hop took", async () => {
    const setting = conductOn({ harvest: { delayMs: 1_000 } });
    await askFor(setting, stranger, names(10));
    await score(setting);
    const view = {
      session: stranger,
      mailId: "m",
      sender: { address: null, eightBit: false, smtpUtf8: false, requireTls: false },
    };
    for (const tookMs of [0, 300, 999, 1_000, 2_500]) {
      const before = setting.pauses.length;
      await setting.conduct.rcpt(view, recipient("somebody"), async () => {
        await setting.clock.pass(tookMs);
        return { reply: FOUND, asked: true };
      });
      expect(((setting.pauses[before] ?? 0) + tookMs) % 1_000, `after ${tookMs} ms`).toBe(0);
    }
  });

  it("is turned away, counted on for every further try, and then blocked: once", async () => {
    const setting = conductOn({ harvest: { unknownMin: 4, similarMin: 100 } });
    await askFor(setting, stranger, names(8));
    expect(await score(setting)).toBe(2);
    const away = { reply: { code: 421, enhanced: "4.7.0", lines: [] }, asked: false };
    const view = {
      session: stranger,
      mailId: "m",
      sender: { address: null, eightBit: false, smtpUtf8: false, requireTls: false },
    };
    for (let i = 0; i < 6; i += 1) await setting.conduct.rcpt(view, recipient(`try${i}`), async () => away);
    await until("a block", () => setting.blocks.length > 0);
    expect(setting.blocks).toHaveLength(1);
    expect(setting.blocks[0]).toMatchObject({
      block: {
        subject: "203.0.113.9/32",
        reason: "harvesting",
        times: 1,
        by: "consentry",
        article: "Order 38 (CN 2006) art. 12(2)",
      },
      facts: { mailId: "m" },
    });
  });

  it("is blocked longer when it happens again, and never longer than the bound", async () => {
    const setting = conductOn({ harvest: { unknownMin: 1, blockMs: 10_000, blockMaxMs: 35_000, windowMs: 5_000 } });
    const lengths: number[] = [];
    for (let round = 0; round < 4; round += 1) {
      await askFor(setting, stranger, names(3));
      await until("a block", () => setting.blocks.length > round);
      const { fromMs = 0, untilMs = 0 } = setting.blocks[round]?.block ?? {};
      lengths.push(untilMs - fromMs);
      await setting.clock.pass(untilMs - fromMs + 10_000);
    }
    expect(lengths).toEqual([10_000, 20_000, 35_000, 35_000]);
  });

  it("is only counted where the operator watches", async () => {
    const setting = conductOn({ watched: true, harvest: { unknownMin: 2 } });
    await askFor(setting, stranger, names(20));
    expect(await score(setting)).toBeGreaterThan(3);
    expect(setting.blocks).toEqual([]);
    expect(setting.pauses).toEqual([]);
  });
});

describe("a trap address", () => {
  const harvest = { traps: ["Nobody@EXAMPLE.com"] };

  it.each([
    ["where it exists", FOUND],
    ["where it does not", UNKNOWN],
  ])("blocks at once whoever writes to it, %s, and the answer is the next hop's", async (_, reply) => {
    const setting = conductOn({ harvest });
    expect(await askFor(setting, stranger, ["nobody"], reply)).toEqual([reply]);
    await until("a block", () => setting.blocks.length > 0);
    expect(setting.blocks[0]?.block).toMatchObject({ subject: "203.0.113.9/32", reason: "spam-trap" });
  });

  it("blocks a client by its name, wherever it sends from", async () => {
    const setting = conductOn({ harvest });
    await askFor(setting, sessionOf({ client: clientOf(), login: "shop" }), ["nobody"]);
    await until("a block", () => setting.blocks.length > 0);
    expect(setting.blocks[0]?.block.subject).toBe("client:shop");
    const elsewhere = sessionOf({ client: clientOf(), login: "shop", ip: "198.51.100.77" });
    expect(await setting.conduct.standing(elsewhere)).toMatchObject({ block: { reason: "spam-trap" } });
  });
});

describe("honest senders", () => {
  it("cost the store nothing for recipients that exist", async () => {
    const setting = conductOn();
    await setting.conduct.standing(stranger);
    let asked = 0;
    const { windows, marks, tables } = setting.store;
    for (const part of [windows, marks, tables] as unknown as Record<string, (...args: unknown[]) => unknown>[]) {
      for (const [name, work] of Object.entries(part)) {
        part[name] = (...args: unknown[]) => {
          asked += 1;
          return work.apply(part, args);
        };
      }
    }
    await askFor(setting, stranger, names(199), FOUND);
    expect(asked).toBe(0);
    await askFor(setting, stranger, names(1), FOUND);
    expect(asked, "a batch of two hundred is told in one piece, for the host and its network").toBe(2);
  });

  it("are not held up by a store that is away", async () => {
    const setting = conductOn();
    setting.store.windows.take = () => Promise.reject(new Error("away"));
    expect(await askFor(setting, stranger, names(3))).toEqual([UNKNOWN, UNKNOWN, UNKNOWN]);
    await score(setting);
    expect(setting.troubles.length).toBeGreaterThan(0);
  });
});

function recipient(local: string) {
  return { address: { local, domain: "example.com", text: `${local}@example.com`, key: `${local}@example.com` } };
}
