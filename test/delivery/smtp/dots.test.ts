import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DotStuffer } from "../../../src/delivery/smtp/dots.ts";

function wire(pieces: readonly Buffer[]): Buffer {
  const dots = new DotStuffer();
  return Buffer.concat([...pieces.map((piece) => dots.push(piece)), dots.end()]);
}

/** What a receiver makes of it (RFC 5321 4.5.2): up to the lone dot, first dots of other lines removed. */
function received(bytes: Buffer): string {
  const lines = bytes.toString("latin1").split("\r\n");
  const end = lines.indexOf(".");
  expect(lines.slice(end + 1)).toEqual([""]);
  return lines
    .slice(0, end)
    .map((line) => `${line.replace(/^\./, "")}\r\n`)
    .join("");
}

function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  let at = 0;
  for (const size of sizes) {
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return [...pieces, bytes.subarray(at)];
}

/** Lines made of what matters here. */
const line = fc.string({ unit: fc.constantFrom(".", "a", " ", "\xe9"), maxLength: 6 });

describe("dot-stuffing", () => {
  it("arrives as it was, whatever the lines and wherever the pieces are cut", () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 7 }), { maxLength: 60 });
    fc.assert(
      fc.property(fc.array(line, { maxLength: 30 }), fc.boolean(), sizes, (lines, ended, cuts) => {
        const text = lines.join("\r\n") + (ended && lines.length > 0 ? "\r\n" : "");
        const closed = text === "" || text.endsWith("\r\n") ? text : `${text}\r\n`;
        expect(received(wire(cut(Buffer.from(text, "latin1"), cuts)))).toBe(closed);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ["an empty mail", "", ".\r\n"],
    ["a mail that is one dot", ".", "..\r\n.\r\n"],
    ["a mail without a last CRLF", "a", "a\r\n.\r\n"],
    ["a mail that ends in CR", "a\r", "a\r\r\n.\r\n"],
    ["a line that is one dot", "a\r\n.\r\nb\r\n", "a\r\n..\r\nb\r\n.\r\n"],
    ["dots in a row", "..\r\n...\r\n", "...\r\n....\r\n.\r\n"],
    ["dots inside lines", "a.b\r\n c.\r\n", "a.b\r\n c.\r\n.\r\n"],
  ])("writes %s", (_, mail, expected) => {
    expect(wire([Buffer.from(mail)]).toString()).toBe(expected);
  });

  it("passes a piece that needs no dots without a copy", () => {
    const piece = Buffer.from("a\r\nb.\r\n");
    expect(new DotStuffer().push(piece)).toBe(piece);
  });
});
