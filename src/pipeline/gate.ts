import type { RuleMode } from "../config/schema.ts";
import type { RuleSetting } from "./settings.ts";

/** What the operator says of the rules on consent, for the queue, which asks again before each attempt. */
export function gateSettings(settings: readonly RuleSetting[]) {
  const of = (id: string): RuleSetting | undefined => settings.find(({ rule }) => rule.id === id);
  return {
    modeOf(rule: string, client: string): RuleMode {
      const setting = of(rule);
      return setting?.clients.get(client) ?? setting?.mode ?? "off";
    },
    /** Numbers and hours are kept in the queue, not at the door. */
    waits: (of("consent/scope")?.options as { wait?: boolean } | undefined)?.wait === true,
  };
}
