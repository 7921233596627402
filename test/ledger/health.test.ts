import { expect, it } from "vitest";
import { Unavailable } from "../../src/kit/trouble.ts";
import { watchedJournal } from "../../src/ledger/health.ts";
import type { Journal } from "../../src/ledger/journal.ts";

it("a journal that could not be written is in trouble until it could, or for ten seconds", async () => {
  let nowMs = 0;
  let isFull = true;
  const inner = {
    append: async () => {
      if (isFull) throw new Unavailable("ledger", "no space left");
    },
  } as unknown as Journal;
  const { journal, trouble } = watchedJournal(inner, () => nowMs);
  expect(trouble()).toBeUndefined();
  await expect(journal.append([])).rejects.toThrow(Unavailable);
  expect(trouble()).toBe("no space left");
  nowMs += 9_999;
  expect(trouble()).toBe("no space left");
  nowMs += 1;
  expect(trouble()).toBeUndefined();
  await expect(journal.append([])).rejects.toThrow(Unavailable);
  isFull = false;
  await journal.append([]);
  expect(trouble()).toBeUndefined();
});
