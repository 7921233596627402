import type { LoadedConfig } from "../config/load.ts";
import { inFileOrder } from "../config/yaml.ts";
import { Misuse } from "../kit/trouble.ts";
import { compileSettings, type RuleSetting } from "../pipeline/settings.ts";
import { RULES } from "../rules/index.ts";

/** All rules as a configuration sets them. @throws Misuse listing every key that is wrong */
export function ruleSettings({ config, file }: LoadedConfig): RuleSetting[] {
  const problems: string[] = [];
  const settings = compileSettings(config.rules, RULES, problems);
  if (problems.length > 0) {
    throw new Misuse(`${file.path} cannot be used:`, inFileOrder(problems.map(file.place)));
  }
  return settings;
}

/** All rules as they are without a configuration. */
export const standardSettings = (): RuleSetting[] => compileSettings({ default: "enforce" }, RULES, []);
