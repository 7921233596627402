import { expect, it } from "vitest";
import { parseMailboxes } from "../../src/mail/mailboxes.ts";
import { cpuTimeMs } from "../helpers/cpu-time.ts";

const cost = (value: string): number =>
  Math.min(...Array.from({ length: 5 }, () => cpuTimeMs(() => void parseMailboxes(value))));

/** An address header of a quarter of a million semicolons held everybody up for 55 ms: each was a look of its own. Found by scripts/fuzz, target addresses. */
it.each([";", ",", ",;"])("a header full of %s costs little, and what stands behind is read", (piece) => {
  const value = `a@x.example${piece.repeat(262_144 / piece.length)}b@y.example`;
  expect(parseMailboxes(value).addresses.map(({ text }) => text)).toEqual(["a@x.example", "b@y.example"]);
  // Beside an ordinary field with a thousand recipients.
  const ordinary = "reader@mail.example, ".repeat(1000);
  expect(cost(value)).toBeLessThan(10 * cost(ordinary) + 5);
});

/** And one of tens of thousands of addresses, or of bytes that are none, for 40 to 100 ms. Found by the same, seed 5. */
it.each(["a@b.example,", "a@b,", ";\0", "<a@b>,"])("a header full of %j is read as far as anybody would", (piece) => {
  const read = parseMailboxes(`${piece.repeat(262_144 / piece.length)}boss@example.com`);
  const isRead = read.addresses.some(({ text }) => text === "boss@example.com");
  expect(read.addresses.length).toBeLessThanOrEqual(5_001);
  // What was not read may not pass for what is not there.
  expect(isRead || read.obscured).toBe(true);
  expect(read.unreadable).toBe(true);
});
