import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Parcel } from "../../src/delivery/next-hop.ts";
import { parcelOf } from "../../src/delivery/parcel.ts";
import { contentOf } from "../helpers/letters.ts";

const front = Buffer.from("Received: x\r\n");

async function readAll(parcel: Parcel): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of parcel.read()) pieces.push(piece);
  return Buffer.concat(pieces).toString("latin1");
}

describe("a parcel", () => {
  it("is the content's own memory when nothing is left out", async () => {
    const content = contentOf("a: b\r\n\r\nc\r\n");
    const parcel = parcelOf(content, front, []);
    expect(parcel.whole).toBe(content.whole);
    expect(parcel.bytes).toBe(front.length + content.bytes);
    expect(await readAll(parcel)).toBe("a: b\r\n\r\nc\r\n");
  });

  it("leaves out the same bytes from memory and from disk, whatever the ranges and pieces", async () => {
    const range = fc.tuple(fc.nat(40), fc.nat(12)).map(([start, length]) => ({ start, end: start + length }));
    await fc.assert(
      fc.asyncProperty(
        fc.string({ maxLength: 40, unit: "binary-ascii" }),
        fc.array(range, { maxLength: 5 }),
        fc.integer({ min: 1, max: 9 }),
        async (text, omit, pieceBytes) => {
          const left = [...text].filter((_, at) => !omit.some(({ start, end }) => at >= start && at < end)).join("");
          const named = omit.map((range) => ({ name: "x", ...range }));
          const inMemory = parcelOf(contentOf(text), front, named);
          const onDisk = parcelOf(contentOf(text, pieceBytes), front, named);
          expect(inMemory.whole?.toString("latin1")).toBe(left);
          expect(await readAll(inMemory)).toBe(left);
          expect(await readAll(onDisk)).toBe(left);
          expect(onDisk.whole).toBeUndefined();
          expect([inMemory.bytes, onDisk.bytes]).toEqual([front.length + left.length, front.length + left.length]);
        },
      ),
    );
  });
});
