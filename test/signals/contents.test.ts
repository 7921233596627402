import { describe, expect, it } from "vitest";
import { Headers } from "../../src/mail/headers.ts";
import { readText } from "../../src/mail/text.ts";
import { type ContentItem, hasContent } from "../../src/signals/contents.ts";

const letter = (body: string, header = "From: Good Shoes <news@goodshoes.example>") => {
  const mail = Buffer.from(`${header}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${body}\r\n`);
  return { headers: Headers.parse(mail), text: readText(mail) };
};
const html = (body: string) => {
  const mail = Buffer.from(`From: a@b.example\r\nContent-Type: text/html; charset=utf-8\r\n\r\n${body}\r\n`);
  return { headers: Headers.parse(mail), text: readText(mail) };
};
const MAILTO = "From: a@b.example\r\nList-Unsubscribe: <mailto:no@b.example>";

describe("what is in an advertisement", () => {
  it.each<[string, ContentItem, ReturnType<typeof letter>, boolean, string[]?]>([
    ["a link and the word for it", "refusal-contact", letter("To unsubscribe: https://b.example/u"), true],
    ["in Chinese", "refusal-contact", letter("如需退订，请发邮件至 no@b.example"), true],
    ["in Vietnamese", "refusal-contact", letter("Để từ chối nhận thư: no@b.example"), true],
    ["the word without a way", "refusal-contact", letter("you may unsubscribe"), false],
    ["a way without the word", "refusal-contact", letter("see https://b.example/"), false],
    ["a List-Unsubscribe header alone", "refusal-contact", letter("buy", MAILTO), true],
    [
      "both languages that are asked for",
      "refusal-block",
      letter("từ chối · unsubscribe: a@b.example"),
      true,
      ["vi", "en"],
    ],
    ["one of two languages", "refusal-block", letter("unsubscribe: a@b.example"), false, ["vi", "en"]],
    [
      "the refusal at the start of a long mail",
      "refusal-block",
      letter(`unsubscribe a@b.example ${"x ".repeat(900)}`),
      false,
    ],
    ["the refusal at its end", "refusal-block", letter(`${"x ".repeat(900)} unsubscribe a@b.example`), true],
    ["an address in the text", "sender-email", letter("write to shop@b.example"), true],
    ["an address behind a link", "sender-email", html('<a href="mailto:shop@b.example">write</a>'), true],
    ["no address", "sender-email", letter("write to us"), false],
    ["the name of From", "advertiser-name", letter("GOOD SHOES, since 1980"), true],
    ["the name of its domain", "advertiser-name", letter("visit goodshoes today"), true],
    ["another name", "advertiser-name", letter("visit us"), false],
    ["a telephone number", "phone", letter("ring +86 10 1234 5678"), true],
    ["a price", "phone", letter("only 199.00"), false],
    ["an address in Chinese", "postal-address", letter("地址：北京市朝阳区"), true],
    ["an address in Vietnamese", "postal-address", letter("Địa chỉ: 12 đường Láng"), true],
    ["no place", "postal-address", letter("come by"), false],
    ["a web page", "web-address", html('<a href="https://b.example/">shop</a>'), true],
    ["none", "web-address", letter("come by"), false],
  ])("%s: %s %#", (_, item, mail, expected, languages = []) => {
    expect(hasContent(item, mail, languages)).toBe(expected);
  });

  it("is looked for in time that grows with the text", () => {
    const items: ContentItem[] = ["refusal-contact", "refusal-block", "sender-email", "phone", "postal-address"];
    for (const text of ["a@".repeat(30_000), "0".repeat(60_000), "a.".repeat(30_000), "+1 ".repeat(20_000)]) {
      const mail = letter(text);
      const began = process.cpuUsage().user;
      for (const item of items) hasContent(item, mail, []);
      expect(process.cpuUsage().user - began, text.slice(0, 4)).toBeLessThan(2_000_000);
    }
  });
});
