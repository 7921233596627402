import { expect, it } from "vitest";
import { parseMailboxes } from "../../src/mail/mailboxes.ts";
import { cpuTimeMs } from "../helpers/cpu-time.ts";

/** An address header of a quarter of a million semicolons held everybody up for 55 ms: each was a look of its own. Found by scripts/fuzz, target addresses. */
it.each([";", ",", ",;"])("a header full of %s costs little, and what stands behind is read", (piece) => {
  const value = `a@x.example${piece.repeat(262_144 / piece.length)}b@y.example`;
  expect(parseMailboxes(value).addresses.map(({ text }) => text)).toEqual(["a@x.example", "b@y.example"]);
  expect(cpuTimeMs(() => void parseMailboxes(value))).toBeLessThan(20);
});
