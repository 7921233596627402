import { describe, expect, it } from "vitest";
import type { Notice } from "../../src/desk/outbox.ts";
import { createOutbox } from "../../src/desk/outbox.ts";
import { createPostman } from "../../src/desk/postman.ts";
import { createTokens } from "../../src/desk/tokens.ts";
import { createIds } from "../../src/kit/ids.ts";
import { createLog } from "../../src/kit/log.ts";
import { Unavailable } from "../../src/kit/trouble.ts";
import type { Happening } from "../../src/ledger/recorder.ts";
import { createMemoryStore } from "../../src/stores/memory/store.ts";
import { handClock } from "../helpers/hand-clock.ts";
import { type NextHopScript, said, scriptedNextHop } from "../helpers/scripted-next-hop.ts";

const SECRET = Buffer.alloc(32, 7);
const notice: Notice = {
  kind: "refused",
  advertiser: "shop",
  recipient: "li@mail.example",
  atMs: 1_700_000_000_000,
  languages: ["zh", "en"],
  topics: [],
};

function post(script: NextHopScript = {}) {
  const clock = handClock();
  const { tables } = createMemoryStore(clock);
  const outbox = createOutbox(tables, clock);
  const written: Happening[] = [];
  const nextHop = scriptedNextHop([], script);
  const postman = (hop = nextHop) =>
    createPostman({
      outbox,
      clock,
      tokens: createTokens(SECRET, clock, 30),
      nextHop: () => hop,
      recorder: { record: async (happenings) => void written.push(...happenings) },
      ids: createIds(clock, SECRET),
      log: createLog("silent"),
      hostname: "relay.example.net",
      address: "refuse@example.com",
      publicUrl: undefined,
      sign: async (whole) => whole,
    });
  const outcomes = () => written.map(({ evidence }) => evidence?.outcome);
  return { clock, outbox, nextHop, postman, outcomes };
}

describe("the desk's mails", () => {
  it("are whole, say they are automatic, and name no advertising", async () => {
    const { outbox, nextHop, postman, outcomes } = post();
    await outbox.add(notice);
    await postman().round();
    const [{ text = "", recipients = [] } = {}] = nextHop.received;
    expect(recipients).toEqual(["li@mail.example"]);
    const [header = "", body = ""] = text.split("\r\n\r\n");
    expect(header).toContain("\r\nAuto-Submitted: auto-generated\r\n");
    for (const line of text.split("\r\n")) expect(Buffer.byteLength(line)).toBeLessThanOrEqual(78);
    expect(Buffer.from(body, "base64").toString()).toMatch(/^您拒收 shop .*2023-11-14 22:13 UTC.*arrived/s);
    expect(outcomes()).toEqual(["sent"]);
    expect(await outbox.take()).toBeUndefined();
  });

  it.each<[string, NextHopScript, string[], boolean]>([
    ["next hop away at RCPT: later", { rcpt: { [notice.recipient]: new Unavailable("next-hop", "x") } }, [], true],
    ["next hop away at the end: later", { end: new Unavailable("next-hop", "x") }, [], true],
    ["put off: later", { end: said(451, "4.0.0", "later") }, [], true],
    ["refused for good: given up, and written down", { end: said(550, "5.1.1", "no") }, ["refused"], false],
  ])("%s", async (_, script, outcomes, waits) => {
    const sent = post(script);
    await sent.outbox.add(notice);
    await sent.postman().round();
    expect(sent.outcomes()).toEqual(outcomes);
    expect((await sent.outbox.take()) !== undefined).toBe(waits);
  });

  it("are sent once, however many walk the same round, and however often a notice is laid out", async () => {
    const { outbox, nextHop, postman } = post();
    await Promise.all([outbox.add(notice), outbox.add(notice)]);
    await Promise.all(Array.from({ length: 5 }, () => postman().round()));
    expect(nextHop.received).toHaveLength(1);
  });

  it("that somebody took and never ended are not sent a second time, and the ledger says perhaps", async () => {
    const { clock, outbox, nextHop, postman, outcomes } = post();
    await outbox.add(notice);
    await outbox.take();
    await postman().round();
    expect(outcomes(), "he may still be at it").toEqual([]);
    await clock.pass(11 * 60_000);
    await postman().round();
    expect(outcomes()).toEqual(["perhaps"]);
    expect(nextHop.received).toHaveLength(0);
  });
});
