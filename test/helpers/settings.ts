/** Rules, findings and settings made up for tests of the pipeline. */
import { z } from "zod";
import type { Stage, Views } from "../../src/mail/views.ts";
import { createPipeline, type Pipeline, type PipelineParts } from "../../src/pipeline/pipeline.ts";
import type { RuleSetting } from "../../src/pipeline/settings.ts";
import { defineRule, type Looks, type Rule, type Said } from "../../src/rules/define.ts";
import { contextOf } from "./described.ts";

/** A rule that looks at one stage with the function given. */
export function ruleOf(id: string, look: (view: Views["mail"]) => Said | Promise<Said>): Rule;
export function ruleOf<S extends Stage>(id: string, look: (view: Views[S]) => Said | Promise<Said>, stage: S): Rule;
export function ruleOf(id: string, look: unknown, stage: Stage = "mail"): Rule {
  return defineRule({
    id,
    title: `Made up: ${id}`,
    why: "For a test of the pipeline.",
    sources: [{ cite: `Law of ${id}`, confidence: "doc" }],
    falseAlarms: ["none"],
    options: z.strictObject({}),
    looks: { [stage]: look } as Looks<object>,
  });
}

export const settingOf = (rule: Rule, more: Partial<RuleSetting> = {}): RuleSetting => ({
  rule,
  rank: 0,
  mode: "enforce",
  clients: new Map(),
  whenUnavailable: "defer",
  options: {},
  ...more,
});

/** A pipeline over settings, and the faults it told of. */
export function pipelineOf(
  settings: readonly RuleSetting[],
  more: Partial<PipelineParts> = {},
): { pipeline: Pipeline; faults: string[] } {
  const faults: string[] = [];
  const pipeline = createPipeline({
    settings,
    context: contextOf(),
    packMode: () => "enforce",
    ruleTimeoutMs: 1000,
    onFault: (rule, error) => faults.push(`${rule}: ${(error as Error).message}`),
    ...more,
  });
  return { pipeline, faults };
}
