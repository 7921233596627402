import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createBodyHash } from "../../src/authenticity/dkim/canonical.ts";

/** RFC 6376 3.4.4, line by line; a bare LF ends a line, a CR without its LF is a byte like others. */
function relaxed(body: string): string {
  const lines = body.split(/\r?\n/).map((line) => line.replace(/[ \t]+/g, " ").replace(/ $/, ""));
  const text = lines.join("\r\n").replace(/(?:\r\n)+$/, "");
  return /[^\r\n]/.test(text) ? `${text}\r\n` : "";
}

function hashOf(body: string, cuts: readonly number[] = []): [string, number] {
  const bytes = Buffer.from(body, "latin1");
  const hash = createBodyHash("relaxed", "sha256");
  let from = 0;
  for (const cut of [...cuts, bytes.length]) {
    hash.update(bytes.subarray(from, Math.max(from, cut)));
    from = Math.max(from, cut);
  }
  return [hash.digest(), hash.canonicalBytes];
}

const expected = (body: string): [string, number] => {
  const canonical = Buffer.from(relaxed(body), "latin1");
  return [createHash("sha256").update(canonical).digest("base64"), canonical.length];
};

const LONG = "Ein Satz, der bleibt, wie er ist. ".repeat(20).trim();

describe("a relaxed body", () => {
  it.each([
    ["long and canonical", `${LONG}\r\n\r\n${LONG}\r\n`],
    ["without a last line end", LONG],
    ["with empty lines at its end", `${LONG}\r\n\r\n\r\n`],
    ["with blanks at a line's end after a long run", `${LONG}  \r\n${LONG}\t\r\n${LONG}`],
    ["with two blanks in the middle", `${LONG}  ${LONG}\r\n`],
    ["with a tab for a blank", `${LONG}\t${LONG}\r\n`],
    ["with a bare LF", `${LONG}\n${LONG}\r\n`],
    ["that begins with empty lines", `\r\n\r\n${LONG}\r\n`],
    ["of blanks only", " \t \r\n  \r\n"],
    ["that is empty", ""],
  ])("%s has the hash of its canonical form, in one piece and byte by byte", (_, body) => {
    expect(hashOf(body)).toEqual(expected(body));
    expect(hashOf(body, Array.from(body, (_, index) => index))).toEqual(expected(body));
  });

  it("has that hash whatever it holds and wherever it is cut", () => {
    const piece = fc.constantFrom(" ", "\t", "\r\n", "\r\n\r\n", "\n", "a", "b c", "\x00", LONG, `${LONG}\r\n`);
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), fc.array(fc.nat(3000), { maxLength: 5 }), (pieces, cuts) => {
        const body = pieces.join("");
        const places = cuts.filter((cut) => cut < body.length).sort((a, b) => a - b);
        expect(hashOf(body, places)).toEqual(expected(body));
      }),
      { numRuns: 500 },
    );
  });
});
