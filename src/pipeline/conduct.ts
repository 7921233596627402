import { harvesting, harvestOptions } from "../rules/conduct/harvesting.ts";
import { hijackedLogin, loginOptions } from "../rules/conduct/hijacked-login.ts";
import type { Rule } from "../rules/define.ts";
import { suspended, suspendedOptions } from "../rules/relay/suspended.ts";
import type { ConductSettings } from "../signals/conduct.ts";
import type { RuleSetting } from "./settings.ts";

/** What the operator says of the rules on conduct, for those who count: only what is enforced is acted on. */
export function conductSettings(settings: readonly RuleSetting[]): ConductSettings {
  const of = (rule: Rule): RuleSetting | undefined => settings.find((setting) => setting.rule === rule);
  const acts =
    (rule: Rule) =>
    (client?: string): boolean => {
      const setting = of(rule);
      const mode = client === undefined ? undefined : setting?.clients.get(client);
      return (mode ?? setting?.mode) === "enforce";
    };
  return {
    harvest: { options: harvestOptions.parse(of(harvesting)?.options ?? {}), acts: acts(harvesting) },
    login: { options: loginOptions.parse(of(hijackedLogin)?.options ?? {}), acts: acts(hijackedLogin) },
    complaints: suspendedOptions.parse(of(suspended)?.options ?? {}),
  };
}
