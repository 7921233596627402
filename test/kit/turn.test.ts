import { expect, it } from "vitest";
import { atEndOfTurn } from "../../src/kit/turn.ts";

it("what is put off to the end of a turn runs in order, after what was to be done at once", async () => {
  const done: string[] = [];
  await new Promise<void>((resolve) => {
    atEndOfTurn(() => done.push("first"));
    atEndOfTurn(() => {
      done.push("second");
      atEndOfTurn(resolve);
    });
    void Promise.resolve().then(() => done.push("at once"));
  });
  expect(done).toEqual(["at once", "first", "second"]);
});

it("one that throws does not keep the others from running", async () => {
  const uncaught = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  const thrown: unknown[] = [];
  process.once("uncaughtException", (error) => thrown.push(error));
  try {
    await new Promise<void>((resolve) => {
      atEndOfTurn(() => {
        throw new Error("a bug");
      });
      atEndOfTurn(resolve);
    });
  } finally {
    for (const listener of uncaught) process.on("uncaughtException", listener);
  }
  expect(thrown).toEqual([new Error("a bug")]);
});
