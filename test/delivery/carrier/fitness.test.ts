import fc from "fast-check";
import { expect, it } from "vitest";
import { fitParcel, Unfit } from "../../../src/delivery/carrier/fitness.ts";

const CHANGES = { fields: [], additions: [] };
const FRONT = Buffer.from("Received: here\r\n");

/** Reads it as it is handed on, cut at these places. @returns what is wrong with it */
async function wordOn(text: string, cuts?: readonly number[]): Promise<string | undefined> {
  const whole = Buffer.from(text, "latin1");
  const ends = [...new Set([...(cuts ?? []), whole.length])].sort((a, b) => a - b);
  async function* read(): AsyncIterable<Buffer> {
    let from = 0;
    for (const end of ends) {
      yield whole.subarray(from, end);
      from = end;
    }
  }
  const parcel = { front: FRONT, bytes: FRONT.length + whole.length, changes: CHANGES, read };
  try {
    for await (const _ of fitParcel(cuts ? parcel : { ...parcel, whole }).read());
    return undefined;
  } catch (error) {
    if (error instanceof Unfit) return error.word;
    throw error;
  }
}

const part = fc.constantFrom("a", "\r\n", "\r\n", "\r", "\n", "\t", "\0", "é", "x".repeat(997), "x".repeat(998));

it("lets through what has whole line ends and no long line, and nothing else, wherever it is cut", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(part, { maxLength: 12 }),
      fc.array(fc.nat(2_000), { maxLength: 6 }),
      async (parts, at) => {
        const text = parts.join("");
        const cuts = at.filter((each) => each <= text.length);
        const hasBare = /\r(?!\n)|(?<!\r)\n/.test(text);
        const hasLong = text.split("\r\n").some((line) => line.length > 998);
        const found = [await wordOn(text), await wordOn(text, cuts)];
        for (const word of found) {
          if (!hasBare) expect(word).toBe(hasLong ? "long-line" : undefined);
          else expect(["bare-newline", hasLong && "long-line"]).toContain(word);
        }
      },
    ),
    { numRuns: 500 },
  );
});
