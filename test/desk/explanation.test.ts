import { describe, expect, it } from "vitest";
import { certaintiesOf, explanationOf, tell } from "../../src/desk/explanation.ts";
import type { Entry } from "../../src/ledger/entry.ts";
import { REPLIES, type ReplyId, replyText, writeReply } from "../../src/mail/replies.ts";
import { replyWords, unworded, WORD_LANGUAGES } from "../../src/mail/reply-words.ts";
import { RULES } from "../../src/rules/index.ts";
import { packOf } from "../helpers/described.ts";

const IDS = Object.keys(REPLIES) as ReplyId[];
const packs = [packOf("cn-2006"), packOf("vn-2020")];
const law = { packs, certainties: certaintiesOf(packs, RULES) };
const POSTMASTER = "postmaster@relay.example.net";

const entryOf = (id: ReplyId, more: Partial<Entry> = {}, detail?: string): Entry => ({
  id: "01E",
  at: Date.UTC(2026, 10, 22, 8),
  event: REPLIES[id].code < 500 ? "deferred" : "refused",
  mailId: "01M",
  sender: "news@shop.example",
  recipient: "li@example.com",
  reply: replyText(writeReply(id, { mailId: "01M", article: "Order 38 (CN 2006) art. 13(2)", detail })),
  ...more,
});

describe("the catalogue of replies", () => {
  it.each(["zh", "vi"] as const)("has every reply in %s", (language) => {
    expect(unworded(language)).toEqual([]);
  });

  it("says each thing once, so that a reply is known again by its words", () => {
    for (const language of WORD_LANGUAGES) {
      const wrongs = IDS.map((id) => replyWords(id, language).wrong);
      expect(new Set(wrongs).size, language).toBe(IDS.length);
    }
  });

  it("is not English in another language's name", () => {
    for (const id of IDS) {
      expect(replyWords(id, "zh").wrong, id).toMatch(/\p{Script=Han}/u);
      expect(replyWords(id, "vi").wrong, id).toMatch(/[^\x20-\x7e]/);
    }
  });
});

describe("a refusal, explained", () => {
  it.each(IDS)("is known by what was said: %s", (id) => {
    for (const detail of [undefined, "AD or [QC]"]) {
      expect(explanationOf("01M", [entryOf(id, {}, detail)], law)?.replies).toEqual([
        { id, ...(detail !== undefined && { detail }) },
      ]);
    }
  });

  it("tells what was wrong, the article and how sure of it, what is accepted and whom to ask", () => {
    const articles = ["Order 38 (CN 2006) art. 13(2)"];
    const entry = entryOf("consent-missing", { articles, packs: [`cn-2006@${packs[0]?.version}`] });
    const explanation = explanationOf("01M", [entry], law);
    if (!explanation) throw new Error("not explained");
    expect(tell(explanation, "en", POSTMASTER).lines).toEqual([
      ["", "The mail was refused on 2026-11-22 08:00:00 UTC."],
      ["What was wrong", "this recipient has not agreed to advertising from you"],
      ["What is accepted", "recipients whose consent is recorded"],
      ["Article", "Order 38 (CN 2006) art. 13(2) (confirmed by 5 further sources)"],
      ["Law", packs[0]?.title],
      ["", `Questions go to ${POSTMASTER}; name the id 01M.`],
    ]);
    expect(tell(explanation, "zh", POSTMASTER).lines[1]).toEqual(["问题", "该收件人没有同意接收您的广告"]);
    expect(tell(explanation, "vi", POSTMASTER).lines[2]?.[1]).toMatch(/sự đồng ý/);
  });

  it("names no recipient, no sender, no client and no evidence", () => {
    const more = { evidence: { score: 0.97, advertiser: "shop" }, clientIp: "203.0.113.9", login: "shop-login" };
    const partial = entryOf("partial-refusal", more, "without li@example.com, wu@example.com");
    const explanation = explanationOf("01M", [partial], law);
    if (!explanation) throw new Error("not explained");
    const all = JSON.stringify([explanation, ...WORD_LANGUAGES.map((each) => tell(explanation, each, POSTMASTER))]);
    expect(all).not.toMatch(/li@|wu@|news@|0\.97|203\.0|shop/);
  });

  it("of the next server names no words of its own catalogue", () => {
    const explanation = explanationOf("01M", [entryOf("held", { reply: "550 5.1.1 li@example.com: gone" })], law);
    expect(explanation?.replies).toEqual([]);
  });

  it("is known, too, when a rule looked again in the queue", () => {
    const bounced = entryOf("consent-withdrawn", { event: "bounced" });
    expect(explanationOf("01M", [bounced], law)?.replies).toEqual([{ id: "consent-withdrawn" }]);
  });

  it("is none where nothing was refused", () => {
    const { reply: _, ...accepted } = entryOf("held", { event: "received" });
    expect(explanationOf("01M", [accepted], law)).toBeUndefined();
  });
});
