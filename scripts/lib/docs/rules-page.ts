import type { Rule } from "../../../src/rules/define.ts";
import { RULES } from "../../../src/rules/index.ts";
import { keysOf, type SchemaKey } from "./schema-keys.ts";
import { code, GENERATED, table, yamlFlow } from "./text.ts";

const INTRO = `# Rules

Each is one file under \`src/rules\`. The order here is their rank: when two refuse with equal weight, the first one gives the reply.

\`\`\`yaml
rules:
  default: enforce                        # off, watch (only written down) or enforce
  group/rule: watch                       # one rule
  group/other-rule:
    mode: enforce
    option: value                           # its own options, below
    clients: { some-client: watch }       # another mode for one client
    whenUnavailable: defer                # or reject: what a register that has to answer and does not means; never an accept
\`\`\`

Behind each source stands how sure we are that it says what the rule does: \`doc\`: a founding document alone; \`C1\`, \`C2\` …: confirmed by
so many further sources; \`RFC\`: read in the RFC; \`GK\`: general knowledge, which only notes. What a *pack* demands has its own sources;
\`consentry pack show ID\` prints them.`;

/** docs/reference/rules.md */
export const rulesPage = (): string =>
  `${[GENERATED, INTRO, table(["rule", "stage", "what it asks"], RULES.map(overview)), ...RULES.map(chapter)].join("\n\n")}\n`;

const stagesOf = (rule: Rule): string => Object.keys(rule.looks).join(", ");

const overview = (rule: Rule): string[] => [`[${rule.id}](#${rule.id.replace("/", "")})`, stagesOf(rule), rule.title];

function chapter(rule: Rule): string {
  const sources = rule.sources.map(({ cite, confidence }) => `${cite} (\`${confidence}\`)`).join("; ");
  const alarms = rule.falseAlarms.map((text) => `- ${text}`).join("\n");
  return [
    `## ${rule.id}`,
    `**${rule.title}.** ${rule.why.replaceAll("\n", " ")}`,
    `Stages: ${stagesOf(rule)}. Sources: ${sources}.`,
    options(rule),
    `Honest mail it may catch:\n\n${alarms}`,
  ]
    .filter(Boolean)
    .join("\n\n");
}

function options(rule: Rule): string {
  const keys = keysOf(rule.options, rule.options.parse({}));
  if (keys.length === 0) return "No options of its own.";
  const rows = keys
    .flatMap(withParts)
    .map((key) => [
      code(key.name),
      key.fallback === undefined ? "" : code(yamlFlow(key.fallback)),
      key.allowed,
      key.meaning,
    ]);
  return table(["option", "default", "allowed", "meaning"], rows);
}

/** A list of sections, and each key of its sections. */
const withParts = (key: SchemaKey): SchemaKey[] => [
  key,
  ...(key.isList ? key.keys.map((part) => ({ ...part, name: `${key.name}[].${part.name}` })) : []),
];
