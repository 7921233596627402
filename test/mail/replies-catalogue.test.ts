import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { REPLIES, type ReplyId, replyText, writeReply } from "../../src/mail/replies.ts";

const IDS = Object.keys(REPLIES) as ReplyId[];
/** In the order in which the one is spread into the other. */
const CATALOGUE = ["customer-replies.ts", "reply-forms.ts"].map((file) => join("src", "mail", file));

const sources = readdirSync("src", { recursive: true, encoding: "utf8" })
  .map((path) => join("src", path))
  .filter((path) => path.endsWith(".ts") && !CATALOGUE.includes(path))
  .map((path) => readFileSync(path, "utf8"));

describe("the catalogue of replies", () => {
  it.each(IDS)("%s is said somewhere", (id) => {
    expect(sources.some((text) => text.includes(`"${id}"`) || text.includes(` ${id}: `))).toBe(true);
  });

  it("says nothing twice", () => {
    const texts = IDS.map((id) => replyText(writeReply(id)));
    expect(texts.filter((text, index) => texts.indexOf(text) !== index)).toEqual([]);
  });

  it("writes each id once", () => {
    const text = CATALOGUE.map((file) => readFileSync(file, "utf8")).join("");
    const written = [...text.matchAll(/^ {2}"?([a-z-]+)"?: form\(/gm)].map(([, id]) => id);
    expect(written).toEqual(IDS);
  });

  it.each(IDS)("%s has a class of enhanced code that fits its code, and fits a line", (id) => {
    const { code, enhanced, wrong, accepted } = REPLIES[id];
    expect(enhanced).toMatch(new RegExp(`^${Math.floor(code / 100)}\\.[0-7]\\.\\d{1,2}$`));
    expect(`${wrong}${accepted}`).toMatch(/^[\x20-\x7e]+$/);
    expect(Math.max(wrong.length, accepted.length)).toBeLessThan(200);
  });
});
