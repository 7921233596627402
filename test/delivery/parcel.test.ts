import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Parcel } from "../../src/delivery/next-hop.ts";
import { parcelOf } from "../../src/delivery/parcel.ts";
import type { HeaderEdit } from "../../src/mail/edits.ts";
import { type Field, Headers } from "../../src/mail/headers.ts";
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

  it("has the same edited bytes from memory and from disk, whatever the pieces", async () => {
    const word = fc.stringMatching(/^[a-z ]{0,8}$/);
    const fields = fc.array(fc.record({ value: word, edit: fc.constantFrom("keep", "remove", "replace") }), {
      maxLength: 5,
    });
    await fc.assert(
      fc.asyncProperty(fields, word, fc.integer({ min: 1, max: 9 }), async (list, body, pieceBytes) => {
        const text = `${list.map(({ value }) => `a: ${value}\r\n`).join("")}\r\n${body}`;
        const left = list.map(({ value, edit }) => (edit === "keep" ? `a: ${value}\r\n` : AFTER[edit])).join("");
        const { fields: found } = Headers.parse(Buffer.from(text));
        const edits = list.flatMap(({ edit }, at): HeaderEdit[] => {
          const field = found[at] as Field;
          if (edit === "keep") return [];
          return [edit === "remove" ? { kind: "remove", field } : { kind: "replace", field, value: "new" }];
        });
        edits.push({ kind: "add", name: "B", value: "added" });
        const inMemory = parcelOf(contentOf(text), front, edits);
        const onDisk = parcelOf(contentOf(text, pieceBytes), front, edits);
        const expected = `${left}\r\n${body}`;
        expect(inMemory.whole?.toString()).toBe(expected);
        expect(await readAll(inMemory)).toBe(expected);
        expect(await readAll(onDisk)).toBe(expected);
        expect(onDisk.whole).toBeUndefined();
        for (const parcel of [inMemory, onDisk]) {
          expect(parcel.front.toString()).toBe("Received: x\r\nB: added\r\n");
          expect(parcel.bytes).toBe(parcel.front.length + expected.length);
        }
      }),
    );
  });
});

const AFTER: Readonly<Record<string, string>> = { remove: "", replace: "a: new\r\n" };
