import { describe, expect, it } from "vitest";
import { configSchema } from "../../src/config/schema.ts";
import { choosePacks } from "../../src/law/choice.ts";
import { clientOf, recipientOf, sessionOf } from "../helpers/described.ts";
import { smallPack } from "../helpers/small-packs.ts";

const known = new Map(["aa-2001", "bb-2002", "cc-2003"].map((id) => [id, smallPack({ id })]));

function choose(section: object) {
  const problems: string[] = [];
  const choice = choosePacks(configSchema.parse({ packs: section }).packs, known, problems);
  const ids = (address: string) => choice.for(recipientOf(address), sessionOf()).map(({ id }) => id);
  return { choice, problems, ids };
}

describe("the choice of packs", () => {
  const { choice, ids, problems } = choose({
    default: ["aa-2001", "bb-2002"],
    byRecipientDomain: {
      "bb.example": ["bb-2002"],
      "*.cc.example": ["cc-2003", "aa-2001"],
      "none.example": [],
      "例子.测试": ["cc-2003"],
    },
    modes: { "aa-2001": "enforce", "cc-2003": "watch" },
  });

  it.each([
    ["x@anywhere.example", ["aa-2001", "bb-2002"]],
    ["x@bb.example", ["bb-2002"]],
    ["x@BB.example", ["bb-2002"]],
    ["x@a.cc.example", ["cc-2003", "aa-2001"]],
    ["x@cc.example", ["aa-2001", "bb-2002"]],
    ["x@none.example", []],
    ["x@xn--fsqu00a.xn--0zwm56d", ["cc-2003"]],
    ["postmaster", ["aa-2001", "bb-2002"]],
  ])("%s is protected by %j", (address, expected) => {
    expect(ids(address)).toEqual(expected);
  });

  it("watches a pack that nobody gave a mode", () => {
    expect([...known.values()].map(choice.mode)).toEqual(["enforce", "watch", "watch"]);
  });

  it("lets the recipient's domain go before the client's choice, that before the listener's, and that before the default", () => {
    const session = (mine: readonly string[] | undefined, door?: readonly string[]) => ({
      ...sessionOf(),
      ...(mine && { client: clientOf({ packs: mine }) }),
      ...(door && { packs: door }),
    });
    const under = (address: string, from: ReturnType<typeof session>) =>
      choice.for(recipientOf(address), from).map(({ id }) => id);
    expect(under("x@bb.example", session(["cc-2003"], ["aa-2001"]))).toEqual(["bb-2002"]);
    expect(under("x@anywhere.example", session(["cc-2003"], ["aa-2001"]))).toEqual(["cc-2003"]);
    expect(under("x@anywhere.example", session(undefined, ["aa-2001"]))).toEqual(["aa-2001"]);
    expect(under("x@anywhere.example", session(["gone-1999", "bb-2002"]))).toEqual(["bb-2002"]);
    expect(under("x@anywhere.example", session(["gone-1999"], ["cc-2003"]))).toEqual(["cc-2003"]);
    expect(under("x@anywhere.example", session([]))).toEqual([]);
  });

  it("complains of a listener's pack that is none", () => {
    const wrong: string[] = [];
    const section = { ...configSchema.parse({}).packs, default: [], modes: {}, listeners: [undefined, ["xx"]] };
    choosePacks(section, known, wrong);
    expect(wrong).toEqual([expect.stringMatching(/^listeners\.1\.packs: there is no pack "xx"/)]);
  });

  it("knows every pack that somebody may fall under, once", () => {
    expect(choice.active.map(({ id }) => id)).toEqual(["aa-2001", "bb-2002", "cc-2003"]);
    expect(problems).toEqual([]);
  });

  it("leaves a pack out that is off", () => {
    const off = choose({ default: ["aa-2001", "bb-2002"], modes: { "bb-2002": "off" } });
    expect(off.ids("x@y.example")).toEqual(["aa-2001"]);
    expect(off.choice.active.map(({ id }) => id)).toEqual(["aa-2001"]);
  });

  it("complains of every name that no pack has, and where it stands", () => {
    const wrong = choose({
      default: ["aa-2001", "xx"],
      byRecipientDomain: { "a.example": ["yy"] },
      modes: { zz: "watch" },
    });
    expect(wrong.problems).toEqual([
      expect.stringMatching(/^packs\.modes: there is no pack "zz"; known: aa-2001, bb-2002, cc-2003$/),
      expect.stringMatching(/^packs\.default: there is no pack "xx"/),
      expect.stringMatching(/^packs\.byRecipientDomain\.a\.example: there is no pack "yy"/),
    ]);
    expect(wrong.ids("x@y.example")).toEqual(["aa-2001"]);
  });
});
