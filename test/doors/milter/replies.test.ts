import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { answerFrame, replyLines } from "../../../src/doors/milter/replies.ts";
import { REPLIES, type ReplyId, writeReply } from "../../../src/mail/replies.ts";

const reply = (lines: readonly string[], code = 550, enhanced = "5.7.1") => ({ code, enhanced, lines });

describe("the text of a refusal", () => {
  it.each([
    [["no"], "550 5.7.1 no"],
    [["one", "two", "three"], "550-5.7.1 one\r\n550-5.7.1 two\r\n550 5.7.1 three"],
    [[], "550 5.7.1 "],
    [["50% off"], "550 5.7.1 50%% off"],
    [["two\r\n250 2.0.0 ok"], "550 5.7.1 two?250 2.0.0 ok"],
    [["nul\0bell\x07"], "550 5.7.1 nul?bell?"],
    [["広告 in front"], "550 5.7.1 ? in front"],
  ])("of %j is %j", (lines, text) => {
    expect(replyLines(reply(lines))).toBe(text);
  });

  it.each([
    [250, "2.0.0"],
    [354, "3.0.0"],
    [450, "5.1.1"],
    [550, "4.1.1"],
    [550, ""],
    [550, "5.7"],
    [550, "5.7.1 x"],
    [600, "6.0.0"],
    [Number.NaN, "5.0.0"],
    [450.5, "4.0.0"],
  ])("cannot be %s with %j", (code, enhanced) => {
    expect(() => replyLines(reply(["x"], code, enhanced))).toThrow(RangeError);
  });

  it("has each line in the form MTAs check, whatever it is given", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "binary", maxLength: 700 }), { maxLength: 40 }), (lines) => {
        const written = replyLines(reply(lines)).split("\r\n");
        expect(written.length).toBeLessThanOrEqual(32);
        for (const [i, line] of written.entries()) {
          expect(line).toMatch(i === written.length - 1 ? /^550 5\.7\.1 [\x20-\x7e]*$/ : /^550-5\.7\.1 [\x20-\x7e]*$/);
          expect(line.replaceAll("%%", "").includes("%")).toBe(false);
          expect(line.replaceAll("%%", "%").length + 2).toBeLessThanOrEqual(512);
        }
      }),
    );
  });

  it("can be given for every refusal in the catalogue", () => {
    for (const id of Object.keys(REPLIES) as ReplyId[]) expect(() => replyLines(writeReply(id))).not.toThrow();
  });
});

describe("the frame of an answer", () => {
  it.each([
    ["continue", "c"],
    ["accept", "a"],
    ["reject", "r"],
    ["tempfail", "t"],
    ["discard", "d"],
    ["skip", "s"],
    ["connection-fail", "f"],
  ] as const)("for %s is the letter %s alone", (answer, letter) => {
    expect(answerFrame(answer).toString("latin1")).toBe(`\0\0\0\x01${letter}`);
  });

  it("is refused for anything that is no answer", () => {
    for (const wrong of ["constructor", "", "Accept", undefined, null, 7, {}]) {
      expect(() => answerFrame(wrong as "accept")).toThrow();
    }
  });
});
