import type { RuleSetting } from "../pipeline/settings.ts";
import type { Rule } from "../rules/define.ts";
import { defineCommand, type Globals, word } from "./globals.ts";
import { clean, print, printJson, printTable, Refused } from "./output.ts";

const list = defineCommand({
  command: "list",
  describe: "All rules with the mode in force and what they rest on",
  builder: (args) => args.example("$0 rules", "").example("$0 rules --json", "one JSON document"),
  handler: listRules,
});

const show = defineCommand({
  command: "show <id>",
  describe: "One rule: why, options, honest mail it may catch",
  builder: (args) => args.positional("id", word("group/rule")).example("$0 rules show envelope/header-shape", ""),
  async handler({ config, id, json }) {
    const found = (await settingsOf(config)).find(({ rule }) => rule.id === id);
    if (!found) throw new Refused(`there is no rule ${clean(id)}; consentry rules lists them`);
    const { rule, mode, clients, whenUnavailable, options } = found;
    const facts = { ...paper(rule), mode, clients: Object.fromEntries(clients), whenUnavailable };
    const known = await optionsOf(rule, (options ?? {}) as Record<string, unknown>);
    if (json) return printJson({ ...facts, options: known });
    await print(
      `${rule.id}: ${rule.title}`,
      "",
      rule.why,
      "",
      `mode         ${mode}${[...clients].map(([client, own]) => `, ${own} for ${client}`).join("")}`,
      `looks at     ${Object.keys(rule.looks).join(", ")}`,
      `when blind   ${whenUnavailable} (whenUnavailable: what follows when it cannot know)`,
      ...section(
        "rests on",
        rule.sources.map(({ cite, confidence }) => `${cite} (${confidence})`),
      ),
      ...section("options", known.map(optionText)),
      ...section("false alarms", rule.falseAlarms),
    );
  },
});

/** `consentry rules` alone lists them. */
export const rules = defineCommand({
  command: "rules",
  describe: "Rules: what they look at, how they are set",
  builder: (args) => args.command(list).command(show).recommendCommands(),
  handler: listRules,
});

async function listRules(options: Globals): Promise<void> {
  const settings = await settingsOf(options.config);
  const items = settings.map(({ rule, mode, clients }) => ({
    row: [
      rule.id,
      clients.size > 0 ? `${mode}*` : mode,
      rule.title,
      rule.sources.map(({ cite, confidence }) => `${cite} (${confidence})`).join("; "),
    ],
    value: { ...paper(rule), mode, clients: Object.fromEntries(clients) },
  }));
  await printTable(options, ["RULE", "MODE", "TITLE", "RESTS ON"], items);
  if (!options.json && settings.some(({ clients }) => clients.size > 0)) await print("* otherwise for some clients");
}

/** What can be said of a rule without its configuration. */
const paper = ({ id, title, why, sources, falseAlarms, looks }: Rule) => ({
  id,
  title,
  why,
  stages: Object.keys(looks),
  sources,
  falseAlarms,
});

async function settingsOf(configPath: string): Promise<RuleSetting[]> {
  const [{ loadConfig }, { ruleSettings }] = await Promise.all([
    import("../config/load.ts"),
    import("./rule-settings.ts"),
  ]);
  return ruleSettings(loadConfig(configPath));
}

const section = (head: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : ["", head, ...lines.map((line) => `  ${line}`)];

interface Option {
  readonly name: string;
  readonly value: unknown;
  readonly default: unknown;
  readonly type: string;
  readonly describe: string;
}

/** The schema of a rule's options says their types, defaults and meanings. */
async function optionsOf({ options: schema }: Rule, values: Record<string, unknown>): Promise<Option[]> {
  const { z } = await import("zod");
  const { properties = {} } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  return Object.entries(properties).map(([name, property]) => {
    const {
      type,
      enum: choices,
      default: standard,
      description = "",
    } = property as Record<string, unknown> & {
      description?: string;
    };
    const kind = Array.isArray(choices) ? choices.join(" | ") : String(type ?? "any");
    return { name, value: values[name], default: standard, type: kind, describe: description };
  });
}

function optionText({ name, value, default: standard, type, describe }: Option): string {
  const now = JSON.stringify(value);
  const usual = JSON.stringify(standard);
  return `${name} = ${now}${now === usual ? " (default)" : `, default ${usual}`}: ${describe} [${type}]`;
}
