import { describe, expect, it, onTestFinished } from "vitest";
import { clientOf } from "../helpers/described.ts";
import { hasRedis, startRedis } from "../helpers/redis.ts";
import { type Overrides, type RunningService, startService } from "../helpers/service.ts";
import { openTalk, type SmtpTalk } from "../helpers/smtp-talk.ts";
import { until } from "../helpers/wait.ts";

/** Two nodes of one site, sharing a Redis: what one notices, the other acts on. */
const HARVESTER = "203.0.113.9";
const RULES: Overrides = {
  default: "off",
  "conduct/blocked": "enforce",
  "conduct/harvesting": { mode: "enforce", unknownMin: 4, similarMin: 100, delayMs: 10, delayMaxMs: 20 },
  "conduct/hijacked-login": { mode: "enforce", networksMax: 2 },
  "conduct/rate": "enforce",
};
const names = [
  "quartz",
  "omega",
  "delta-x",
  "li.wei",
  "nguyen",
  "x.ray",
  "vega",
  "orion",
  "zulu",
  "tango",
  "kilo",
  "yak",
];

async function twoNodes() {
  const redis = await startRedis();
  onTestFinished(redis.stop);
  const start = () =>
    startService({
      store: { url: redis.url, timeoutMs: 1_000 },
      rules: RULES,
      nextHop: { mailboxes: ["ann@example.com"] },
    });
  return { redis, one: await start(), other: await start() };
}

async function comeIn({ smtp }: RunningService, ip: string, login = false): Promise<SmtpTalk> {
  const talk = await openTalk(smtp);
  await talk.sayAll("EHLO proxy.example.net", `XCLIENT ADDR=${ip}`, "EHLO mx.sender.example");
  if (login) expect((await talk.say(`AUTH PLAIN ${Buffer.from("\0shop\0sesame").toString("base64")}`)).code).toBe(235);
  return talk;
}

async function ask(node: RunningService, ip: string, local: string): Promise<number> {
  const talk = await comeIn(node, ip);
  const from = await talk.say("MAIL FROM:<>");
  const reply = from.code === 250 ? await talk.say(`RCPT TO:<${local}@example.com>`) : from;
  talk.vanish();
  return reply.code;
}

describe.skipIf(!hasRedis)("conduct over nodes (needs redis-server)", () => {
  it("counts a harvester who goes from node to node, and blocks him at all of them", async () => {
    const { one, other } = await twoNodes();
    const codes: number[] = [];
    for (const [i, name] of names.entries()) codes.push(await ask(i % 2 ? one : other, HARVESTER, name));
    expect(codes.slice(0, 8)).toEqual(Array(8).fill(550));
    // Each node learns of the others' count with its own next unknown one: at most one more for each.
    expect(codes.slice(9).every((code) => code === 421 || code === 554)).toBe(true);
    for (const node of [one, other]) {
      await until("the block is known", async () => (await ask(node, HARVESTER, "ann")) === 554, 10_000);
      expect(await ask(node, "198.51.100.1", "ann"), "others go on").toBe(250);
    }
    const added = (await Promise.all([one, other].map((node) => node.entries()))).flat();
    expect(added.filter(({ event }) => event === "block-added")).toHaveLength(1);
  });

  it("holds a login at the node it has never used, once the other has seen too many networks", async () => {
    const { one, other } = await twoNodes();
    await one.house.clients.save(clientOf(), "sesame");
    for (const third of [1, 2, 3]) {
      const talk = await comeIn(one, `198.51.${third}.7`, true);
      expect((await talk.say("MAIL FROM:<a@shop.example>")).code).toBe(250);
    }
    const talk = await comeIn(other, "198.51.1.7", true);
    await talk.sayAll("MAIL FROM:<a@shop.example>", "RCPT TO:<ann@example.com>", "DATA");
    expect(await talk.data("From: a@shop.example\n\nhello\n")).toMatchObject({ code: 451, enhanced: "4.7.1" });
  });

  it("lends one quota to all nodes, to the mail", async () => {
    const { one, other } = await twoNodes();
    await one.house.clients.save(clientOf({ networks: ["198.51.100.0/24"], ratePerHour: 7 }));
    const codes = await Promise.all(
      Array.from({ length: 16 }, async (_, i) => {
        const talk = await comeIn(i % 2 ? one : other, "198.51.100.7");
        return (await talk.say("MAIL FROM:<a@shop.example>")).code;
      }),
    );
    expect(codes.filter((code) => code === 250)).toHaveLength(7);
    expect(codes.filter((code) => code === 451)).toHaveLength(9);
  });

  it("lets strangers' mail go on while Redis is away, and asks clients with a limit to wait", async () => {
    const { redis, one } = await twoNodes();
    await one.house.clients.save(clientOf({ networks: ["198.51.100.0/24"], ratePerHour: 7 }));
    expect(await ask(one, "203.0.113.20", "ann")).toBe(250);
    const client = await comeIn(one, "198.51.100.7");
    await client.sayAll("MAIL FROM:<a@shop.example>", "RSET");
    await redis.stop();
    expect(await ask(one, "203.0.113.21", "ann")).toBe(250);
    expect(await ask(one, "203.0.113.21", "nobody"), "an unknown one is answered as ever").toBe(550);
    expect((await client.say("MAIL FROM:<a@shop.example>")).text).toMatch(/^451.4\.3\.0/);
  });
});
