import { describe, expect, it } from "vitest";
import { emptyText, type MailText } from "../../src/mail/text.ts";
import { evidenceOf } from "../../src/signals/evidence.ts";
import { wordingOf } from "../../src/signals/normal.ts";

const evidence = (
  body: string,
  text: Partial<MailText> = {},
  signs: Parameters<typeof evidenceOf>[0]["signs"] = [],
): string[] =>
  evidenceOf({
    text: { ...emptyText(), text: body, ...text },
    words: wordingOf({ subject: "", text: body, own: [] }),
    signs,
  });

describe("what speaks for advertising, in words", () => {
  it.each([
    ["Chinese prices and orders", "原价 399 元，立即订购", ["prices and ordering words"]],
    ["Vietnamese discounts", "Khuyến mãi lớn, giảm giá 50%", ["discounts"]],
    ["English prices and orders", "Only $ 99: order now", ["prices and ordering words"]],
    ["a hotline", "Hotline: 0900", ["how to reach the seller"]],
    ["a way to leave", "Click to unsubscribe", ["how to leave"]],
    ["hurry", "限时抢购，先到先得", ["ordering words", "hurry"]],
    ["invoices", "代开各类发票", ["invoices for sale"]],
    ["a loan", "Vay vốn lãi suất thấp", ["loans"]],
    ["what wants a password", "Please verify your account", ["credentials wanted"]],
    ["nothing", "Hi Ann, see you on Friday.", []],
  ])("names %s", (_, body, expected) => {
    expect(evidence(body)).toEqual(expected);
  });

  it.each<[string, Partial<MailText>, string]>([
    ["links", { links: ["http://a.example/1", "http://a.example/2", "http://b.example/"] }, "links 3 to 2 hosts"],
    ["a mail of pictures", { imageOnly: true }, "pictures and hardly a word"],
    ["hidden letters", { hiddenChars: 400 }, "400 letters that nobody sees"],
    ["words cut by invisible characters", { zeroWidth: 7 }, "invisible characters inside 7 words"],
    ["letters of other scripts", { lookAlikes: 9 }, "9 letters that look like others"],
    ["a broken structure", { broken: 1 }, "a structure that contradicts itself"],
  ])("names %s", (_, text, expected) => {
    expect(evidence("hello there", text)).toEqual([expected]);
  });

  it("names what the headers say", () => {
    expect(evidence("hello", {}, ["unsubscribe", "list"])).toEqual(["an unsubscribe header", "list headers"]);
  });

  it("never quotes the text, and takes bounded time for any", () => {
    const found = evidence(`${"订购 0900 vay ".repeat(50_000)} secret-word`);
    expect(found.join()).not.toContain("secret");
    expect(found.length).toBeGreaterThan(0);
  });
});
