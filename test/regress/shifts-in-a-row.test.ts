import { expect, it } from "vitest";
import { decodeShifted } from "../../src/mail/shifted-charset.ts";
import { cpuTimeMs } from "../helpers/cpu-time.ts";

/**
 * A text of 200 KB that shifted with each character, or was unreadable in between, held everybody up for 50 to 78 ms: each piece was decoded by
 * itself. Found by scripts/fuzz, target mime.
 */
it.each([
  ["shifts between two charsets", "\x1b$A9c\x1b$B9-", "广広"],
  ["escapes that nobody knows", "\x1b$B9-\x1b", "広\uFFFD"],
])("a text full of %s costs about what one without costs", (_, piece, read) => {
  const bytes = Buffer.from(piece.repeat(196_608 / piece.length), "latin1");
  const calm = Buffer.from(`\x1b$B${"9-".repeat(bytes.length / 2)}`, "latin1");
  expect(decodeShifted(bytes, "jp").slice(0, read.length * 3)).toBe(read.repeat(3));
  const cost = (text: Buffer): number =>
    Math.min(...Array.from({ length: 5 }, () => cpuTimeMs(() => void decodeShifted(text, "jp"))));
  expect(cost(bytes)).toBeLessThan(5 * cost(calm) + 5);
});
