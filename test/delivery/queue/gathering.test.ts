import { describe, expect, it } from "vitest";
import { gathering } from "../../../src/delivery/queue/gathering.ts";
import { Unavailable } from "../../../src/kit/trouble.ts";
import type { Happening, Recorder } from "../../../src/ledger/recorder.ts";

const happening = (mailId: string): Happening => ({ event: "handed-over", mailId, sessionId: "s", door: "smtp" });

function remembering(trouble?: Error): { recorder: Recorder; written: string[][] } {
  const written: string[][] = [];
  const recorder: Recorder = {
    async record(happenings) {
      written.push(happenings.map(({ mailId = "" }) => mailId));
      if (trouble) throw trouble;
    },
  };
  return { recorder, written };
}

describe("what is written down a moment later", () => {
  it("is written together, in its order, and resolves when it is", async () => {
    const { recorder, written } = remembering();
    const late = gathering(recorder, 5);
    const first = [late.record([happening("a"), happening("b")]), late.record([happening("c")])];
    expect(written).toEqual([]);
    await Promise.all(first);
    expect(written).toEqual([["a", "b", "c"]]);
    await late.record([happening("d")]);
    expect(written).toEqual([["a", "b", "c"], ["d"]]);
  });

  it("is nobody's when it cannot be written", async () => {
    const { recorder } = remembering(new Unavailable("ledger", "full"));
    const late = gathering(recorder, 5);
    const ends = await Promise.allSettled(["a", "b"].map((id) => late.record([happening(id)])));
    expect(ends.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  });
});
