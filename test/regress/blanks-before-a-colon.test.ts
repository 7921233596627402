import { describe, expect, it } from "vitest";
import { Headers } from "../../src/mail/headers.ts";
import { cpuTimeMs } from "../helpers/cpu-time.ts";

/**
 * A header line that begins with blanks and has a colon far behind them took time by the square of the blanks: 6 KB stood in everybody's way
 * for 75 ms, a header block at its bound (256 KB) for minutes. One mail, from anybody. Found by scripts/fuzz, targets headers and
 * authenticity.
 */
describe("a header line of nothing but blanks, then a colon", () => {
  const BLOCK_BYTES_MAX = 262_144;

  it.each([
    ["blanks", " "],
    ["tabs", "\t"],
    ["folded lines", " \r\n\t"],
  ])("%s are read in no time", (_, piece) => {
    const block = Buffer.from(`${piece.repeat(BLOCK_BYTES_MAX / piece.length)}x: y\r\n\r\n`);
    expect(cpuTimeMs(() => void Headers.parse(block))).toBeLessThan(40);
    expect(Headers.parse(block).malformed).toBe(1);
  });

  it("blanks between a name and its colon are still left out", () => {
    const { fields } = Headers.parse(Buffer.from("Subject \t: hello\r\nX\x7f: y\r\n: z\r\n\t: w\r\n\r\n"));
    expect(fields.map(({ name, value }) => [name, value])).toEqual([["subject", "hello"]]);
  });
});
