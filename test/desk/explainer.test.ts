import { describe, expect, it } from "vitest";
import { createExplainer } from "../../src/desk/explainer.ts";
import { createIds } from "../../src/kit/ids.ts";
import { Unavailable } from "../../src/kit/trouble.ts";
import type { Entry } from "../../src/ledger/entry.ts";
import type { Search } from "../../src/ledger/journal.ts";
import { replyText, writeReply } from "../../src/mail/replies.ts";
import { RULES } from "../../src/rules/index.ts";
import { packOf } from "../helpers/described.ts";
import { handClock } from "../helpers/hand-clock.ts";

const DAY_MS = 86_400_000;
const FROM = "192.0.2.9";

/** An explainer over a ledger that holds one refusal for every id. */
function world(read: (search: Search) => AsyncIterable<Entry> = refusals) {
  const clock = handClock();
  const ids = createIds(clock, Buffer.alloc(32, 7));
  const seen = { searches: [] as Search[], entries: [] as { event: string }[], open: 0 };
  const packs = new Map([["cn-2006", packOf("cn-2006")]]);
  const explainer = createExplainer({
    clock,
    ids,
    rules: RULES,
    recorder: { record: async (happenings) => void seen.entries.push(...(happenings as { event: string }[])) },
    async openReader() {
      seen.open += 1;
      return {
        find(search) {
          seen.searches.push(search);
          return read(search);
        },
        close: async () => {
          seen.open -= 1;
        },
      };
    },
    law: () => ({ packs, hostname: "relay.example.net", perMinuteMax: 3, lifetimeMs: 5 * DAY_MS }),
  });
  return { explainer, ids, clock, seen };
}

async function* refusals({ id = "" }: Search): AsyncGenerator<Entry> {
  yield {
    id: "e",
    at: 1,
    event: "refused",
    mailId: id,
    reply: replyText(writeReply("consent-missing", { mailId: id })),
  };
}

describe("explanations for whoever holds an id", () => {
  it("are looked for between the id's own time and the end of the longest wait, and the ledger is closed again", async () => {
    const { explainer, ids, clock, seen } = world();
    const id = ids.sealed();
    expect(await explainer.explain(id, FROM)).toHaveLength(3);
    expect(seen.searches).toEqual([{ id, untilMs: clock.now() + 6 * DAY_MS }]);
    expect(seen.open).toBe(0);
    expect(seen.entries.map(({ event }) => event)).toEqual(["looked-up", "look-up-ended"]);
  });

  it("are so many a minute, and again in the next", async () => {
    const { explainer, ids, clock } = world();
    const ask = () => explainer.explain(ids.sealed(), FROM);
    for (let n = 0; n < 3; n += 1) expect(await ask()).not.toBe("later");
    expect(await ask()).toBe("later");
    await clock.pass(60_000);
    expect(await ask()).not.toBe("later");
  });

  it("are two at a time: a third waits for nobody and hears that it is too much", async () => {
    let go: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      go = resolve;
    });
    const { explainer, ids, seen } = world(async function* (search) {
      await gate;
      yield* refusals(search);
    });
    const both = [explainer.explain(ids.sealed(), FROM), explainer.explain(ids.sealed(), FROM)];
    expect(await explainer.explain(ids.sealed(), FROM)).toBe("later");
    go();
    expect((await Promise.all(both)).every((each) => each.length === 3)).toBe(true);
    expect(seen.open).toBe(0);
  });

  it("are not given where the ledger cannot be read, and the next one is", async () => {
    let broken = true;
    const { explainer, ids, seen } = world(async function* (search) {
      if (broken) throw new Unavailable("ledger", "no disk");
      yield* refusals(search);
    });
    const id = ids.sealed();
    await expect(explainer.explain(id, FROM)).rejects.toThrow(Unavailable);
    expect(seen.open).toBe(0);
    broken = false;
    expect(await explainer.explain(id, FROM)).toHaveLength(3);
  });

  it("say nothing of what is no refusal", async () => {
    const { explainer, ids } = world(async function* ({ id = "" }) {
      yield { id: "e", at: 1, event: "received", mailId: id };
    });
    expect(await explainer.explain(ids.sealed(), FROM)).toBe("unknown");
  });
});
