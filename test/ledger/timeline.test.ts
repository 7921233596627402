import { describe, expect, it } from "vitest";
import type { Entry } from "../../src/ledger/entry.ts";
import { timelineOf } from "../../src/ledger/timeline.ts";

const AT = Date.parse("2026-11-22T10:00Z");
const mail = {
  mailId: "M1",
  sender: "news@shop.example",
  clientIp: "192.0.2.7",
  clientPort: 40_000,
  helo: "pc.shop.example",
};
const entry = (afterMs: number, recipient: string, more: Partial<Entry> & Pick<Entry, "event">): Entry => ({
  id: `E${afterMs}`,
  at: AT + afterMs,
  ...mail,
  recipient,
  ...more,
});

describe("the life of a mail", () => {
  const life = timelineOf("M1", [
    entry(0, "ann@example.com", { event: "received", verdict: "accept" }),
    entry(0, "bob@example.com", {
      event: "refused",
      verdict: "reject",
      rules: ["consent/recorded-consent"],
      articles: ["Order 38 (CN 2006) art. 13(2)"],
      reply: "550 5.7.1 no consent",
    }),
    entry(7, "ann@example.com", { event: "handed-over", nextHopIp: "192.0.2.2", reply: "250 2.0.0 stored" }),
  ]);

  it("tells who sent it, once", () => {
    expect(Object.fromEntries(life.facts)).toEqual({
      from: "news@shop.example",
      client: "192.0.2.7 port 40000",
      "named itself": "pc.shop.example",
    });
  });

  it("tells what happened, when, and why", () => {
    expect(life.steps.map(({ afterMs, says }) => [afterMs, says])).toEqual([
      [0, "received for ann@example.com: a mail was judged and may go on; verdict accept"],
      [
        0,
        "refused for bob@example.com: a session, sender, recipient or mail was refused for good (5xx); verdict reject; " +
          "by consent/recorded-consent; citing Order 38 (CN 2006) art. 13(2); said: 550 5.7.1 no consent",
      ],
      [7, "handed-over for ann@example.com: the next hop took the mail; next hop 192.0.2.2; said: 250 2.0.0 stored"],
    ]);
  });

  it("tells how it ended for each recipient", () => {
    expect(life.ends).toEqual([
      ["ann@example.com", "the next hop has it"],
      ["bob@example.com", "it was refused; the sender's server was told so"],
    ]);
    const open = timelineOf("M1", [entry(0, "ann@example.com", { event: "received" })]);
    expect(open.ends[0]?.[1]).toMatch(/^nobody saw the end of it/);
  });
});
