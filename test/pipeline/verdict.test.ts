import { describe, expect, it } from "vitest";
import {
  createVerdict,
  type Decision,
  editsFor,
  joinVerdicts,
  type Spoken,
  scopedTo,
  weightiest,
} from "../../src/pipeline/verdict.ts";
import { defer, type Finding, hold, note, PASS, reject, skip } from "../../src/rules/define.ts";
import { recipientOf } from "../helpers/described.ts";
import { ruleOf } from "../helpers/settings.ts";

const ann = recipientOf("ann@example.com");
const ben = recipientOf("ben@example.com");
const evidence = { seen: true };

const spoken = (rank: number, finding: Finding, mode: Spoken["mode"] = "enforce"): Spoken => ({
  rule: ruleOf(`made/up-${rank}`, () => finding),
  rank,
  finding,
  mode,
});
const said = (decision: Decision): string =>
  decision.kind === "accept" ? "accept" : `${decision.kind} ${decision.by.rule.id}`;
const REJECT = reject("relay-denied", { evidence });
const DEFER = defer("store-away", { evidence });
const HOLD = hold("look at it");
const NOTE = note("odd");

describe("a verdict", () => {
  it.each<[string, Spoken[], string]>([
    ["nothing said", [], "accept"],
    ["passes, skips and notes", [spoken(0, PASS), spoken(1, skip("no")), spoken(2, NOTE)], "accept"],
    ["hold over pass", [spoken(0, PASS), spoken(1, HOLD)], "hold made/up-1"],
    ["defer over hold", [spoken(0, HOLD), spoken(1, DEFER)], "defer made/up-1"],
    [
      "reject over defer, whatever the rank",
      [spoken(0, DEFER), spoken(1, HOLD), spoken(2, REJECT)],
      "reject made/up-2",
    ],
    [
      "among equals the lower rank, whatever the order",
      [spoken(5, REJECT), spoken(3, REJECT), spoken(4, REJECT)],
      "reject made/up-3",
    ],
    ["what is watched does not act", [spoken(0, REJECT, "watch"), spoken(1, HOLD)], "hold made/up-1"],
    ["only watched", [spoken(0, REJECT, "watch"), spoken(1, DEFER, "watch")], "accept"],
  ])("%s", (_, all, expected) => {
    const verdict = createVerdict(all);
    expect(said(verdict.for())).toBe(expected);
    expect(said(verdict.for(ann))).toBe(expected);
    expect(verdict.spoken).toEqual(all);
  });

  it("keeps to the recipients a finding names", () => {
    const verdict = createVerdict([
      spoken(0, { ...REJECT, recipients: [ben] }),
      spoken(1, { ...HOLD, recipients: [ann] }),
    ]);
    expect(said(verdict.for(ben))).toBe("reject made/up-0");
    expect(said(verdict.for(ann))).toBe("hold made/up-1");
    expect(said(verdict.for()), "the hardest, for a stage that has no recipients").toBe("reject made/up-0");
  });

  it("takes a finding for nobody as one about nobody", () => {
    expect(said(createVerdict([spoken(0, { ...REJECT, recipients: [] })]).for(ann))).toBe("accept");
  });

  it("joins the stages of one mail", () => {
    const joined = joinVerdicts([
      createVerdict([spoken(2, HOLD)]),
      createVerdict([spoken(1, REJECT)]),
      createVerdict([]),
    ]);
    expect(said(joined.for(ann))).toBe("reject made/up-1");
    expect(joined.spoken).toHaveLength(2);
  });

  it("scopes what was said at RCPT to that recipient, and still knows whose it was", () => {
    const joined = joinVerdicts([
      scopedTo(createVerdict([spoken(0, HOLD)]), ann),
      scopedTo(createVerdict([spoken(0, PASS)]), ben),
    ]);
    expect(said(joined.for(ann))).toBe("hold made/up-0");
    expect(said(joined.for(ben))).toBe("accept");
  });
});

describe("the weightiest of several decisions", () => {
  const decision = (rank: number, finding: Finding): Decision => createVerdict([spoken(rank, finding)]).for();

  it.each<[string, Decision[], string]>([
    ["none at all", [], "accept"],
    ["one among accepts", [decision(0, PASS), decision(7, HOLD), decision(0, PASS)], "hold made/up-7"],
    ["the hardest", [decision(1, DEFER), decision(9, REJECT), decision(0, HOLD)], "reject made/up-9"],
    [
      "among equals the lower rank",
      [decision(9, REJECT), decision(2, REJECT), decision(5, REJECT)],
      "reject made/up-2",
    ],
  ])("%s", (_, decisions, expected) => {
    expect(said(weightiest(decisions))).toBe(expected);
    expect(said(weightiest([...decisions].reverse()))).toBe(expected);
  });
});

describe("edits that go with a mail", () => {
  const add = (name: string) => [{ kind: "add", name, value: "x" } as const];
  const names = (all: Spoken[], ...recipients: (typeof ann)[]) =>
    editsFor(createVerdict(all), recipients).map((edit) => edit.kind === "add" && edit.name);

  it("are those of acting rules, by rank", () => {
    const all = [
      spoken(2, note("c", { edits: add("C") })),
      spoken(1, { ...PASS, edits: add("B") }),
      spoken(0, { ...PASS, edits: add("A") }, "watch"),
    ];
    expect(names(all, ann)).toEqual(["B", "C"]);
  });

  it("are not made for a recipient whom the finding does not concern", () => {
    const all = [spoken(0, note("a", { edits: add("A"), recipients: [ben] }))];
    expect([names(all, ann), names(all, ann, ben)]).toEqual([[], ["A"]]);
  });
});
