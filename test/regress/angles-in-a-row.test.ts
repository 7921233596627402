import { expect, it } from "vitest";
import { readHtml } from "../../src/mail/html-text.ts";
import { cpuTimeMs } from "../helpers/cpu-time.ts";

const CHARS = 1_048_576;

/**
 * An HTML part of nothing but "<" was read one by one, each with its own search for references and white space, and held everybody up for
 * 56 ms with the rest of its mail. Found by scripts/fuzz, target mime.
 */
it("angle brackets that begin nothing are text", () => {
  const angles = "<".repeat(CHARS);
  expect(readHtml(angles, CHARS).text).toBe(angles);
  const cost = (html: string): number => cpuTimeMs(() => void readHtml(html, CHARS));
  expect(cost(angles)).toBeLessThan(0.7 * cost("< ".repeat(CHARS / 2)));
});

it.each([
  ["<<<b>x</b>", "<<x"],
  ["a<<!-- no -->b", "a<b"],
  ["1 < 2 << 3 <", "1 < 2 << 3 <"],
  ["<<</p>x", "<<\nx"],
])("the last of them may begin something: %s", (html, text) => {
  expect(readHtml(html, CHARS).text).toBe(text);
});
