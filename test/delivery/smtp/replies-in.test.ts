import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Garbled, ReplyReader, relayed } from "../../../src/delivery/smtp/replies-in.ts";

const talk = Buffer.from("220-host says\r\n220 hello\r\n250\r\n250-a\r\n250-\r\n250 PIPELINING\r\n550 5.1.1 no\r\n");
const replies = [
  { code: 220, lines: ["host says", "hello"] },
  { code: 250, lines: [""] },
  { code: 250, lines: ["a", "", "PIPELINING"] },
  { code: 550, lines: ["5.1.1 no"] },
];

function readIn(pieces: readonly Buffer[]) {
  const reader = new ReplyReader();
  const found = pieces.flatMap((piece) => reader.push(piece));
  return { found, isIdle: reader.isIdle };
}

describe("reading replies", () => {
  it("finds the same replies wherever the bytes are cut in two", () => {
    for (let at = 0; at <= talk.length; at += 1) {
      expect(readIn([talk.subarray(0, at), talk.subarray(at)])).toEqual({ found: replies, isIdle: true });
    }
  });

  it("finds the same replies in pieces of any size", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 30, maxLength: 90 }), (sizes) => {
        const pieces: Buffer[] = [];
        let at = 0;
        for (const size of sizes) {
          pieces.push(talk.subarray(at, at + size));
          at += size;
        }
        pieces.push(talk.subarray(at));
        expect(readIn(pieces).found).toEqual(replies);
      }),
    );
  });

  it("takes a bare LF as the end of a line, as other clients do", () => {
    expect(readIn([Buffer.from("250-a\n250 b\n")]).found).toEqual([{ code: 250, lines: ["a", "b"] }]);
  });

  it("knows when a reply is half-read", () => {
    expect(readIn([Buffer.from("250-a\r\n")]).isIdle).toBe(false);
    expect(readIn([Buffer.from("25")]).isIdle).toBe(false);
  });

  it.each([
    ["letters", "hello\r\n"],
    ["an empty line", "\r\n"],
    ["a code of two digits", "25 ok\r\n"],
    ["a code of four digits", "2500 ok\r\n"],
    ["a code below 200", "100 ok\r\n"],
    ["a code above 599", "600 ok\r\n"],
    ["another separator", "250:ok\r\n"],
    ["a code that changes inside one reply", "250-a\r\n251 b\r\n"],
    ["HTTP", "HTTP/1.1 200 OK\r\n"],
    ["a line without end", "2".repeat(3_000)],
    ["a line over the limit", `250 ${"x".repeat(3_000)}\r\n`],
    ["a reply over the limit", `250-${"x".repeat(1_000)}\r\n`.repeat(70)],
    ["a TLS alert", "\x15\x03\x01\x00\x02\x02\x28\n"],
  ])("calls %s garbage", (_, text) => {
    expect(() => readIn([Buffer.from(text, "latin1")])).toThrow(Garbled);
  });

  it("keeps no more than a bounded part of a flood without line ends", () => {
    const reader = new ReplyReader();
    reader.push(Buffer.alloc(2_000, "2"));
    expect(() => reader.push(Buffer.alloc(2_000, "2"))).toThrow(Garbled);
  });
});

describe("a reply as our client hears it", () => {
  it.each([
    ["its enhanced code", 550, ["5.1.1 no such user"], "5.1.1", ["no such user"]],
    ["X.0.0 where it has none", 451, ["try later"], "4.0.0", ["try later"]],
    ["X.0.0 where the class contradicts the code", 550, ["2.1.5 odd"], "5.0.0", ["odd"]],
    ["no enhanced code in later lines either", 550, ["5.7.1 a", "5.7.1 b"], "5.7.1", ["a", "b"]],
    ["a bare enhanced code as an empty line", 250, ["2.0.0"], "2.0.0", [""]],
    ["no bytes but printable ASCII", 250, ["caf\xc3\xa9 \x1b[31m\0"], "2.0.0", ["caf? ?[31m?"]],
    ["an address literal, which is no enhanced code", 250, ["5.1.1.1 x"], "2.0.0", ["5.1.1.1 x"]],
  ])("has %s", (_, code, lines, enhanced, said) => {
    expect(relayed({ code, lines })).toEqual({ code, enhanced, lines: said });
  });

  it("is bounded in lines and length", () => {
    const reply = relayed({ code: 550, lines: Array<string>(50).fill("x".repeat(2_000)) });
    expect(reply.lines).toHaveLength(10);
    expect(reply.lines.every((line) => line.length === 480)).toBe(true);
  });
});
