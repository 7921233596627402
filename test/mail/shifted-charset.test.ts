import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeShifted, type ShiftFamily } from "../../src/mail/shifted-charset.ts";

const decode = (text: string, family: ShiftFamily): string => decodeShifted(Buffer.from(text, "latin1"), family);

describe("shifted charsets", () => {
  const cases: [title: string, family: ShiftFamily, bytes: string, text: string][] = [
    ["ISO-2022-JP: JIS X 0208 and back", "jp", "AD \x1b$B9-9p\x1b(B!", "AD 広告!"],
    ["ISO-2022-JP: the older JIS C 6226", "jp", "\x1b$@9-9p\x1b(J", "広告"],
    ["ISO-2022-JP: half-width kana", "jp", "\x1b(I6E\x1b(B", "ｶﾅ"],
    ["ISO-2022-JP-1: JIS X 0212", "jp", "\x1b$(D0!\x1b(B", "丂"],
    ["ISO-2022-JP-2: Chinese between", "jp", "\x1b$A9c8f\x1b(B", "广告"],
    ["ISO-2022-JP-2: Korean between", "jp", "\x1b$(C1$0m\x1b(B", "광고"],
    ["ISO-2022-JP: two words joined", "jp", "\x1b$B9-\x1b(B\x1b$B9p\x1b(B", "広告"],
    ["ISO-2022-CN: GB 2312 after SO", "cn", "\x1b$)A\x0e9c8f\x0f AD", "广告 AD"],
    ["ISO-2022-CN: CNS 11643 has no table here", "cn", "\x1b$)G\x0eD!\x0f AD", "\uFFFD AD"],
    ["ISO-2022-KR: KS X 1001 after SO, announced", "kr", "\x1b$)C\x0e1$0m\x0f", "광고"],
    ["ISO-2022-KR: the same, not announced", "kr", "\x0e1$0m\x0f", "광고"],
    ["HZ: GB 2312 between ~{ and ~}", "hz", "~{9c8f~} AD", "广告 AD"],
    ["HZ: a tilde", "hz", "AD ~~", "AD ~"],
    ["HZ: a tilde that is nothing special", "hz", "~x", "~x"],
    ["half a character", "jp", "\x1b$B9", "\uFFFD"],
    ["half a character before an escape", "jp", "\x1b$B9\x1b(BAD", "\uFFFDAD"],
    ["a high byte", "jp", "A\xb9D", "A\uFFFDD"],
    ["an unknown escape does not vanish between two letters", "jp", "A\x1bD", "A\uFFFDD"],
    ["a pair that is no character, between two that are", "jp", "\x1b$B9-~~9p\x1b(B", "広\uFFFD告"],
    ["a blank between two-byte characters", "jp", "\x1b$B9- 9p\x1b(B", "広 告"],
  ];
  it.each(cases)("%s", (_, family, bytes, text) => expect(decode(bytes, family)).toBe(text));

  it("never throw, whatever the bytes", () =>
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.constantFrom("jp", "cn", "kr", "hz"), (bytes, family) => {
        expect(decodeShifted(Buffer.from(bytes), family).length).toBeLessThanOrEqual(bytes.length);
      }),
    ));
});
