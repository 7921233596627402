import { describe, expect, it } from "vitest";
import { configSchema } from "../../src/config/schema.ts";
import { createLog } from "../../src/kit/log.ts";
import type { Member } from "../../src/supervisor/member.ts";
import { changeAll } from "../../src/supervisor/reload.ts";

const config = configSchema.parse({});

/** A worker that says no to some orders, and keeps what it was asked. */
function member(number: number, no: Readonly<Record<string, string>> = {}) {
  const asked: string[] = [];
  const killed: number[] = [];
  const fake: Member = {
    number,
    pid: 1_000 + number,
    text: "old",
    isReady: true,
    ready: Promise.resolve({ addresses: [], nextHop: "" }),
    ended: new Promise(() => undefined),
    heardAt: 0,
    tell: () => undefined,
    async ask({ order }) {
      asked.push(order);
      const problem = no[order];
      if (problem !== undefined) throw new Error(problem);
    },
    kill: () => void killed.push(number),
  };
  return { fake, asked, killed };
}

describe("a reload", () => {
  it("comes into force when everybody has agreed", async () => {
    const all = [member(1), member(2)];
    const done = await changeAll(
      all.map(({ fake }) => fake),
      { text: "new", config },
      createLog("silent"),
    );
    expect(done).toBe(true);
    for (const { asked, fake } of all) expect([asked, fake.text]).toEqual([["prepare", "commit"], "new"]);
  });

  it("comes into force nowhere when one refuses, and says who and why", async () => {
    const all = [member(1), member(2, { prepare: "packs: no such file" })];
    const lines: object[] = [];
    const log = Object.assign(createLog("silent"), { error: (facts: object) => void lines.push(facts) });
    const done = await changeAll(
      all.map(({ fake }) => fake),
      { text: "new", config },
      log,
    );
    expect(done).toBe(false);
    expect(lines).toEqual([{ of: 2, reason: "packs: no such file" }]);
    for (const { asked, fake } of all) expect([asked, fake.text]).toEqual([["prepare", "drop"], "old"]);
  });

  it("kills a worker that agreed and then could not: it comes back with the new configuration", async () => {
    const all = [member(1), member(2, { commit: "a bug" })];
    const done = await changeAll(
      all.map(({ fake }) => fake),
      { text: "new", config },
      createLog("silent"),
    );
    expect(done).toBe(true);
    expect(all.map(({ killed, fake }) => [killed, fake.text])).toEqual([
      [[], "new"],
      [[2], "new"],
    ]);
  });
});
