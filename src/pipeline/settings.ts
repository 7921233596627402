import { z } from "zod";
import type { Config, RuleMode } from "../config/schema.ts";
import type { Rule } from "../rules/define.ts";

/** What the operator says of one rule. */
export interface RuleSetting {
  readonly rule: Rule;
  readonly rank: number;
  readonly mode: RuleMode;
  /** Other modes for single clients. */
  readonly clients: ReadonlyMap<string, RuleMode>;
  /** What an answer that cannot be had means; never an accept. */
  readonly whenUnavailable: "defer" | "reject";
  readonly options: unknown;
}

/** Off for every client. */
export const isOff = ({ mode, clients }: RuleSetting): boolean =>
  mode === "off" && [...clients.values()].every((each) => each === "off");

const mode = z.enum(["off", "watch", "enforce"]);
const common = z.looseObject({
  mode: mode.optional(),
  clients: z.record(z.string(), mode).default({}),
  whenUnavailable: z.enum(["defer", "reject"]).default("defer"),
});

/**
 * Applies the `rules:` section to the list of rules.
 * @param problems every key that is wrong is added here, as "key: what was expected"
 */
export function compileSettings(section: Config["rules"], rules: readonly Rule[], problems: string[]): RuleSetting[] {
  const known = new Set(["default", ...rules.map((rule) => rule.id)]);
  for (const key of Object.keys(section)) {
    if (!known.has(key)) problems.push(`rules."${key}": there is no such rule; consentry rules lists them`);
  }
  return rules.map((rule, rank) => compileOne(section, { rule, rank }, problems));
}

function compileOne(
  section: Config["rules"],
  { rule, rank }: { rule: Rule; rank: number },
  problems: string[],
): RuleSetting {
  const said = section[rule.id];
  const { mode: own, clients, whenUnavailable, ...rest } = readCommon(said, rule.id, problems);
  const options = rule.options.safeParse(rest);
  problems.push(...complaints(rule.id, options.error));
  return {
    rule,
    rank,
    mode: own ?? section.default,
    clients: new Map(Object.entries(clients)),
    whenUnavailable,
    options: options.data,
  };
}

function readCommon(said: unknown, id: string, problems: string[]): z.infer<typeof common> {
  const result = common.safeParse(typeof said === "string" ? { mode: said } : (said ?? {}));
  if (result.success) return result.data;
  problems.push(...complaints(id, result.error));
  return common.parse({});
}

const complaints = (id: string, error: z.ZodError | undefined): string[] =>
  (error?.issues ?? []).map(({ path, message }) => `${[`rules."${id}"`, ...path.map(String)].join(".")}: ${message}`);
