import { describe, expect, it } from "vitest";
import { decodeEncodedWords } from "../../src/mail/encoded-words.ts";
import { decodeShifted } from "../../src/mail/shifted-charset.ts";
import { cpuTimeMs } from "../helpers/cpu-time.ts";

/**
 * Each of these stood in the way of every other connection for more than 50 ms: thousands of `=?` before one `?=` were each looked at as if
 * they were a word, and a text in a shifted charset took an array for each of its bytes. Found by scripts/fuzz, targets words and mime.
 */
describe("text that is long and means nothing", () => {
  const HEADER_BYTES_MAX = 262_144;
  const fill = (piece: string): string => piece.repeat(HEADER_BYTES_MAX / piece.length);

  it.each(["=?", "=?x", "=?utf-8?B?", "=?a?Q?b"])(
    "a header full of %s before the end of a word costs little",
    (piece) => {
      const value = `${fill(piece)}?=`;
      expect(cpuTimeMs(() => void decodeEncodedWords(value))).toBeLessThan(40);
    },
  );

  it("words among such openings are still read", () => {
    expect(decodeEncodedWords("=?=?=?utf-8?Q?AD?= =?x =?utf-8?B?5bm/5ZGK?=")).toBe("=?=?AD =?x 广告");
    expect(decodeEncodedWords("=?utf-8?Q?=41?=")).toBe("A");
    expect(decodeEncodedWords("=?utf-8?B?QUQ=?=")).toBe("AD");
  });

  it("a text in a shifted charset costs a fraction of that", () => {
    const text = Buffer.from("\x1b$B9-9p\x1b(B plain ".repeat(12_000), "latin1");
    expect(decodeShifted(text, "jp").slice(0, 8)).toBe("広告 plain");
    expect(cpuTimeMs(() => void decodeShifted(text, "jp"))).toBeLessThan(40);
  });
});
