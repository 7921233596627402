import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { REPLIES } from "../../src/mail/replies.ts";
import { STAGES, type Stage } from "../../src/mail/views.ts";
import type { Context, Finding, Rule, Said } from "../../src/rules/define.ts";
import { RULES } from "../../src/rules/index.ts";
import { contextOf, type Described, viewsOf } from "./described.ts";

/** A sentence about the mail, and the mail. */
export type Passing = readonly [why: string, mail: Described];
/** The same, and what is said at which stage: "rcpt: reject relay-denied", "header: note <its reason>". */
export type Caught = readonly [why: string, mail: Described, expected: string];

export interface RuleCases {
  /** Nothing but pass and skip, at every stage. */
  readonly letsThrough: readonly Passing[];
  /** What the rule says first. */
  readonly catches: readonly Caught[];
}

/** Runs a rule over tables of mails, and holds every finding and the rule's own papers to the house's promises. */
export function testRule(rule: Rule, { letsThrough, catches }: RuleCases): void {
  describe(`rule ${rule.id}`, () => {
    describePapers(rule);
    it.each(letsThrough)("lets through: %s", async (_, mail) => {
      expect((await tellings(rule, mail)).filter(isTelling).map(text)).toEqual([]);
    });
    it.each(catches)("catches: %s", async (_, mail, expected) => {
      const [first] = (await tellings(rule, mail)).filter(isTelling);
      expect(first === undefined ? "nothing" : text(first)).toBe(expected);
    });
  });
}

interface Telling {
  readonly stage: Stage;
  readonly finding: Finding;
}

const isTelling = ({ finding }: Telling): boolean => finding.kind !== "pass" && finding.kind !== "skip";

function text({ stage, finding }: Telling): string {
  const what = finding.kind === "note" ? finding.reason : "reply" in finding ? finding.reply : "";
  return `${stage}: ${finding.kind} ${what}`.trim();
}

/** Everything a rule says of a mail, stage by stage, recipient by recipient. */
export async function tellings(rule: Rule, mail: Described): Promise<Telling[]> {
  const views = viewsOf(mail);
  const context: Context<unknown> = { ...contextOf(mail), options: rule.options.parse(mail.options ?? {}) };
  const found: Telling[] = [];
  for (const stage of STAGES) {
    const look = rule.looks[stage] as ((view: unknown, context: unknown) => Said | Promise<Said>) | undefined;
    if (!look) continue;
    for (const view of stage === "rcpt" ? views.rcpt : [views[stage]]) {
      const said = [await look(deepFreeze(view), context)].flat() as Finding[];
      expect([await look(view, context)].flat(), "the same mail, asked again").toEqual(said);
      for (const finding of said) {
        checkFinding(rule, finding);
        found.push({ stage, finding });
      }
    }
  }
  return found;
}

/** What holds for every finding of every rule. */
function checkFinding(rule: Rule, finding: Finding): void {
  if (finding.kind === "pass") return;
  const facts = Object.keys(finding.evidence ?? {}).length;
  expect(facts > 0 || "reason" in finding, `${finding.kind} comes with evidence or a reason`).toBe(true);
  for (const value of Object.values(finding.evidence ?? {})) {
    expect(["string", "number", "boolean"]).toContain(typeof value);
    expect(String(value).length, "evidence is a small fact").toBeLessThan(260);
  }
  if (!("reply" in finding)) return;
  expect(Object.keys(REPLIES)).toContain(finding.reply);
  expect(finding.detail ?? "", "what the client hears is ASCII").toMatch(/^[\x20-\x7e]*$/);
  const source = finding.source ?? rule.sources[0];
  expect(source.confidence, "what nobody has confirmed refuses nobody").not.toBe("GK");
}

function describePapers(rule: Rule): void {
  it("has its papers in order", () => {
    expect(RULES).toContain(rule);
    const house = join(import.meta.dirname, "../..");
    expect(existsSync(join(house, `src/rules/${rule.id}.ts`)), "the id is the path of its file").toBe(true);
    expect(existsSync(join(house, `test/rules/${rule.id}.test.ts`)), "its test mirrors it").toBe(true);
    expect(rule.title).toMatch(/^[\x20-\x7e]{10,80}$/);
    expect(rule.why.length).toBeGreaterThan(40);
    expect(rule.falseAlarms.length).toBeGreaterThan(0);
    for (const { cite } of rule.sources) expect(cite).toMatch(/^[\x20-\x7e]+$/);
    expect(rule.options.safeParse({}).success, "every option has a default").toBe(true);
    expect(rule.options.safeParse({ noSuchOption: 1 }).success, "an option that does not exist is an error").toBe(
      false,
    );
    expect(Object.isFrozen(rule)).toBe(true);
  });
}

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value) && !ArrayBuffer.isView(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) deepFreeze(part);
  }
  return value;
}
