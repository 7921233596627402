import { describe, expect, it } from "vitest";
import { type CpuProfile, roomOf, stacksOf } from "../../scripts/lib/flame/stacks.ts";
import { drawFlames } from "../../scripts/lib/flame/svg.ts";

const at = (id: number, functionName: string, url: string, children: readonly number[] = []) => ({
  id,
  callFrame: { functionName, url },
  children,
});

const profile: CpuProfile = {
  nodes: [
    at(1, "(root)", "", [2, 3, 5]),
    at(2, "(idle)", ""),
    at(3, "conclude", "file:///house/src/doors/conclude.ts", [4]),
    at(4, "judge <all>", "file:///house/src/rules/index.ts"),
    at(5, "(garbage collector)", ""),
  ],
  startTime: 1_000,
  samples: [4, 4, 2, 3, 5],
  timeDeltas: [100, 300, 400, 100, 100],
};

describe("stacks of a profile", () => {
  it("hold callers' time and callees', and leave out what is idle", () => {
    const { root, allMicros } = stacksOf(profile);
    const conclude = root.callees.get("doors conclude");
    expect([root.micros, allMicros]).toEqual([600, 1_000]);
    expect([conclude?.micros, conclude?.callees.get("rules judge <all>")?.micros]).toEqual([500, 400]);
  });

  it("begin when it was warm", () => {
    expect(stacksOf(profile, 1_200)).toMatchObject({ allMicros: 900, root: { micros: 500 } });
  });

  it.each([
    ["node:net", "write", "node"],
    ["", "(garbage collector)", "V8"],
    ["", "writeUtf8String", "node"],
    ["file:///house/node_modules/smtp-server/lib/x.js", "f", "smtp-server"],
    ["file:///house/node_modules/@duckdb/node-api/x.js", "f", "@duckdb/node-api"],
    ["file:///house/src/doors/smtp/door.ts", "f", "doors"],
    ["file:///house/src/main.ts", "f", "src"],
  ])("tell whose a function of %j is", (url, name, room) => {
    expect(roomOf(url, name)).toBe(room);
  });
});

describe("a flame graph", () => {
  const svg = drawFlames(stacksOf(profile), { title: "4 KB & more", rooms: ["doors", "rules"] });

  it("is as wide as the time, tells shares, and escapes names", () => {
    expect(svg).toContain("conclude (doors): 83.3 %");
    expect(svg).toContain("judge &lt;all&gt; (rules): 66.7 %");
    expect(svg).toContain("4 KB &amp; more");
    expect(svg).toContain("busy 60 % of the time");
    expect(svg.match(/width="999.5"/g)).toHaveLength(1);
  });

  it("has no box for what is too narrow to be seen", () => {
    const { root, allMicros } = stacksOf({ ...profile, timeDeltas: [100_000, 300_000, 1, 100_000, 1] });
    expect(drawFlames({ root, allMicros }, { title: "", rooms: [] })).not.toContain("garbage");
  });
});
