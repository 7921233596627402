import { describe, expect, it } from "vitest";
import { isPositive, isTransient, REPLIES, type ReplyId, replyText, writeReply } from "../../src/mail/replies.ts";

const ids = Object.keys(REPLIES) as ReplyId[];
const form = (id: ReplyId) => REPLIES[id];

describe("the catalogue of replies", () => {
  it.each(ids)("%s has a code and an enhanced code of the same class", (id) => {
    const { code, enhanced } = form(id);
    expect(enhanced).toMatch(/^[45]\.\d{1,3}\.\d{1,3}$/);
    expect(Math.floor(code / 100)).toBe(Number(enhanced[0]));
    expect(code).toBeGreaterThanOrEqual(400);
    expect(code).toBeLessThan(600);
  });

  it.each(ids)("%s says in ASCII what was wrong and what would be accepted", (id) => {
    const { wrong, accepted } = form(id);
    for (const text of [wrong, accepted]) {
      expect(text).toMatch(/^[\x20-\x7e]{5,120}$/);
      expect(text, "no full stop: more may follow").not.toMatch(/\.$/);
    }
    expect(wrong).not.toBe(accepted);
  });

  it("says nothing twice", () => {
    expect(new Set(ids.map((id) => form(id).wrong)).size).toBe(ids.length);
  });

  it("hangs up with 421 only", () => {
    for (const id of ids) if (/connections|going down/.test(form(id).wrong)) expect(form(id).code).toBe(421);
  });
});

describe("a reply", () => {
  it("names what was wrong, what would be accepted, the article and the id to ask about", () => {
    const reply = writeReply("relay-denied", {
      mailId: "ID-1",
      article: "Order 38 (CN 2006) art. 7",
      detail: "log in",
    });
    expect(reply).toEqual({
      code: 550,
      enhanced: "5.7.1",
      lines: [
        "relaying denied: you are no client of this relay",
        "accepted: mail for its own domains, or log in first: log in",
        "Order 38 (CN 2006) art. 7 - id ID-1",
      ],
    });
    expect(replyText(reply)).toBe(`550 5.7.1 ${reply.lines.join(" / ")}`);
  });

  it.each([
    [{}, 2, ""],
    [{ mailId: "ID-1" }, 3, "id ID-1"],
    [{ article: "RFC 5321" }, 3, "RFC 5321"],
  ])("leaves out what is not known: %j", (about, lines, last) => {
    const reply = writeReply("store-away", about);
    expect(reply.lines).toHaveLength(lines);
    if (last) expect(reply.lines.at(-1)).toBe(last);
  });

  it("cannot be split, lengthened or coloured by what a client gave", () => {
    const { lines } = writeReply("partial-refusal", {
      detail: `x\r\n250 OK\x1b[31m 广告 ${"y".repeat(2000)}`,
      mailId: "a\nb",
    });
    for (const text of lines) {
      expect(text).toMatch(/^[\x20-\x7e]*$/);
      expect(text.length).toBeLessThanOrEqual(480);
    }
  });

  it("knows its class", () => {
    expect(isTransient(writeReply("store-away"))).toBe(true);
    expect(isTransient(writeReply("relay-denied"))).toBe(false);
    expect(isPositive(writeReply("relay-denied"))).toBe(false);
    expect(isPositive({ code: 250, enhanced: "2.0.0", lines: ["ok"] })).toBe(true);
    expect(isPositive({ code: 354, enhanced: "", lines: [] })).toBe(false);
    expect(isTransient({ code: 500, enhanced: "", lines: [] })).toBe(false);
  });
});
