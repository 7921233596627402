import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeMessage, encodeName, encodeQuestion, followAliases } from "../../src/resolver/packet.ts";

const nameBytes = encodeName("a.example") as Buffer;

/** An answer to "a.example TXT" with these bytes where its records stand. */
function answerWith(records: Buffer, count = 1): Buffer {
  const question = encodeQuestion(7, nameBytes, { type: "TXT", edns: false });
  question.writeUInt16BE(0x8180, 2);
  question.writeUInt16BE(count, 6);
  return Buffer.concat([question, records]);
}

const record = (name: number[], data: number[]): Buffer =>
  Buffer.from([...name, 0, 16, 0, 1, 0, 0, 0, 60, data.length >> 8, data.length & 255, ...data]);

describe("DNS messages", () => {
  it("are read with compressed names", () => {
    const message = decodeMessage(answerWith(record([0xc0, 12], [2, 104, 105])));
    expect(message?.answers).toEqual([{ name: "a.example", type: 16, ttl: 60, value: "hi" }]);
  });

  it.each([
    ["a name that points at itself", record([0xc0, 27], [])],
    ["a name that points behind itself", record([0xc0, 200], [])],
    ["a string longer than its record", record([0xc0, 12], [9, 104, 105])],
    ["a record longer than the message", record([0xc0, 12], [2, 104, 105]).subarray(0, -1)],
    ["fewer records than it says", Buffer.alloc(0)],
  ])("are none with %s", (_, records) => {
    expect(decodeMessage(answerWith(records))).toBeUndefined();
  });

  it("are none, whatever the bytes, without a throw", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        decodeMessage(answerWith(Buffer.from(bytes), 5));
        decodeMessage(Buffer.from(bytes));
      }),
    );
  });

  it("tell an alias that nobody resolved", () => {
    const alias = { name: "a.example", type: 5, ttl: 30, value: "b.example" };
    expect(followAliases([alias], "a.example", "TXT")).toEqual({ found: [], ttl: 30, open: "b.example" });
  });
});
