import { describe, expect, it } from "vitest";
import { Unavailable } from "../../src/kit/trouble.ts";
import { defer, note, PASS, reject, type Said } from "../../src/rules/define.ts";
import { viewsOf } from "../helpers/described.ts";
import { pipelineOf, ruleOf, settingOf } from "../helpers/settings.ts";
import { smallPack } from "../helpers/small-packs.ts";

const views = viewsOf({ client: { id: "shop" } });
const evidence = { seen: true };
const REJECT = reject("relay-denied", { evidence });

/** What is decided when one rule does this. */
async function decided(look: () => Said | Promise<Said>, more: Parameters<typeof settingOf>[1] = {}) {
  const { pipeline, faults } = pipelineOf([settingOf(ruleOf("made/up", look), more)]);
  const verdict = await pipeline.run("mail", views.mail);
  const decision = verdict.for();
  const finding = decision.kind === "accept" ? undefined : decision.by.finding;
  const reply = finding && "reply" in finding ? finding.reply : undefined;
  return { kind: decision.kind, reply, faults, spoken: verdict.spoken };
}

describe("modes", () => {
  it.each([
    ["enforce acts", "enforce", {}, "reject", 1],
    ["watch is written down and does not act", "watch", {}, "accept", 1],
    ["off does not even look", "off", {}, "accept", 0],
    ["a client's own mode goes first", "enforce", { shop: "watch" }, "accept", 1],
    ["a client may be held to what others are not", "off", { shop: "enforce" }, "reject", 1],
    ["a client may be left alone", "enforce", { shop: "off" }, "accept", 0],
    ["another client's mode is no business of this one", "enforce", { other: "off" }, "reject", 1],
  ] as const)("%s", async (_, mode, clients, kind, spoken) => {
    const made = await decided(() => REJECT, { mode, clients: new Map(Object.entries(clients)) });
    expect(made.kind).toBe(kind);
    expect(made.spoken).toHaveLength(spoken);
  });

  it("does not lend a stranger the mode of a client", async () => {
    const { pipeline } = pipelineOf([
      settingOf(
        ruleOf("made/up", () => REJECT),
        { clients: new Map([["shop", "off"]]) },
      ),
    ]);
    expect((await pipeline.run("mail", viewsOf({}).mail)).for().kind).toBe("reject");
  });

  const [strict, mild] = [smallPack({ id: "xx" }), smallPack({ id: "yy" })];
  it.each([
    ["in the name of a watched pack", [mild], "enforce", "accept"],
    ["in the name of an enforced pack", [strict], "enforce", "reject"],
    ["in the name of both: the strongest", [mild, strict], "enforce", "reject"],
    ["in the name of an enforced pack, by a watched rule", [strict], "watch", "accept"],
    ["in nobody's name", [], "enforce", "reject"],
  ] as const)("a finding %s", async (_, packs, mode, kind) => {
    const rule = ruleOf("made/up", () => reject("label-missing", { evidence, packs }));
    const { pipeline } = pipelineOf([settingOf(rule, { mode })], {
      packMode: (pack) => (pack === strict ? "enforce" : "watch"),
    });
    expect((await pipeline.run("mail", views.mail)).for().kind).toBe(kind);
  });
});

describe("trouble", () => {
  const fault = () => {
    throw new Error("a bug");
  };
  const away = (dependency: "store" | "dns" | "rule" | "disk") => () =>
    Promise.reject(new Unavailable(dependency, "gone"));

  it.each([
    ["a throw", fault, "rule-trouble"],
    ["a rejected promise", () => Promise.reject(new Error("a bug")), "rule-trouble"],
  ])("%s defers and is told: a bug is never a pass", async (_, look, reply) => {
    const made = await decided(look);
    expect(made).toMatchObject({ kind: "defer", reply, faults: ["made/up: a bug"] });
  });

  it.each([
    ["the store", away("store"), "store-away"],
    ["DNS", away("dns"), "dns-away"],
    ["anything else", away("disk"), "rule-trouble"],
  ])("%s away defers with its own reply, and is no fault", async (_, look, reply) => {
    expect(await decided(look)).toMatchObject({ kind: "defer", reply, faults: [] });
  });

  it("the world away rejects where the operator says so, and a bug still defers", async () => {
    expect(await decided(away("store"), { whenUnavailable: "reject" })).toMatchObject({
      kind: "reject",
      reply: "store-away",
    });
    expect(await decided(fault, { whenUnavailable: "reject" })).toMatchObject({ kind: "defer" });
  });

  it("a watched rule that fails is told and stops nobody", async () => {
    expect(await decided(fault, { mode: "watch" })).toMatchObject({ kind: "accept", faults: ["made/up: a bug"] });
  });

  it("a rule that never settles is deferred when its time is over", async () => {
    const { pipeline, faults } = pipelineOf([settingOf(ruleOf("made/up", () => new Promise<Said>(() => {})))], {
      ruleTimeoutMs: 20,
    });
    const decision = (await pipeline.run("mail", views.mail)).for();
    expect(decision).toMatchObject({
      kind: "defer",
      by: { finding: { reply: "rule-trouble", evidence: { trouble: "rule" } } },
    });
    expect(faults).toEqual([]);
  });

  it("one rule's trouble does not hide what another says", async () => {
    const { pipeline } = pipelineOf([
      settingOf(ruleOf("made/broken", fault), { rank: 0 }),
      settingOf(
        ruleOf("made/strict", () => REJECT),
        { rank: 1 },
      ),
      settingOf(
        ruleOf("made/note", () => note("odd")),
        { rank: 2 },
      ),
    ]);
    const verdict = await pipeline.run("mail", views.mail);
    expect(verdict.for()).toMatchObject({ kind: "reject", by: { rule: { id: "made/strict" } } });
    expect(verdict.spoken.map(({ rule }) => rule.id)).toEqual(["made/broken", "made/strict", "made/note"]);
  });
});

describe("stages", () => {
  it("runs the rules of the stage asked for and no others", async () => {
    const { pipeline } = pipelineOf([
      settingOf(ruleOf("made/mail", () => REJECT)),
      settingOf(ruleOf("made/rcpt", () => defer("store-away", { evidence }), "rcpt")),
      settingOf(
        ruleOf("made/body", () => PASS, "body"),
        { mode: "off" },
      ),
    ]);
    expect(pipeline.has("mail") && pipeline.has("rcpt")).toBe(true);
    expect(pipeline.has("header"), "nobody looks").toBe(false);
    expect(pipeline.has("body"), "the only one is off").toBe(false);
    const rcpt = views.rcpt[0];
    if (!rcpt) throw new Error("described with a recipient");
    expect((await pipeline.run("rcpt", rcpt)).for().kind).toBe("defer");
    expect((await pipeline.run("header", views.header)).spoken).toEqual([]);
  });

  it("takes several findings of one rule, each for its recipients", async () => {
    const many = viewsOf({ to: ["ann@example.com", "ben@example.com"] }).header;
    const [ann, ben] = many.recipients;
    if (!ann || !ben) throw new Error("described with two recipients");
    const rule = ruleOf(
      "made/up",
      () => [reject("consent-missing", { evidence, recipients: [ben] }), note("odd", { recipients: [ann] })],
      "header",
    );
    const verdict = await pipelineOf([settingOf(rule)]).pipeline.run("header", many);
    expect(verdict.for(ann).kind).toBe("accept");
    expect(verdict.for(ben).kind).toBe("reject");
  });
});
