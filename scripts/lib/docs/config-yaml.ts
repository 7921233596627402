import { RULES } from "../../../src/rules/index.ts";
import { configKeys } from "./config-defaults.ts";
import type { SchemaKey } from "./schema-keys.ts";
import { wrapped, yamlFlow } from "./text.ts";

const WIDTH = 110;
const HEAD = `# Every key of consentry at its default. What is left out has the value that stands here.
# \${NAME} and \${NAME:-otherwise} in a text are taken from the environment. Try a change: consentry config check
# Written by scripts/docs from src/config/schema.ts.`;

/** config/consentry.yaml: what a running server assumes, to be read and changed. */
export const configYaml = (): string => `${[HEAD, ...configKeys().map((key) => block(key, ""))].join("\n\n")}\n`;

function block(key: SchemaKey, indent: string): string {
  if (key.name === "rules") return rulesBlock(key);
  const lines = comment(key.meaning, indent);
  if (key.isList) return [...lines, ...[...elementKeys(key), ...list(key)].map((line) => indent + line)].join("\n");
  if (key.fallback === undefined) return [...lines, ...commentedOut(key, indent)].join("\n");
  if (key.keys.length === 0) return [...lines, `${indent}${key.name}: ${yamlFlow(key.fallback)}`].join("\n");
  const section = [`${indent}${key.name}:`, ...key.keys.map((child) => block(child, `${indent}  `))];
  return [...lines, ...(key.keys.every(isUnset) ? section.map(asComment) : section)].join("\n");
}

const isUnset = ({ fallback }: SchemaKey): boolean => fallback === undefined;

/** A section of nothing but comments would be null: commented out as a whole, once. */
const asComment = (text: string): string => text.replace(/^( *)# ( *\w+:)/gm, "$1$2").replace(/^/gm, "# ");

const comment = (text: string, indent: string): string[] =>
  text === "" ? [] : wrapped(text, WIDTH - indent.length).map((line) => `${indent}# ${line}`);

/** A key without a default: shown, and not set. */
const commentedOut = ({ name, keys }: SchemaKey, indent: string): string[] =>
  keys.length === 0
    ? [`${indent}# ${name}: …`]
    : [`${indent}# ${name}:`, ...keys.map((child) => `${indent}#   ${child.name}: …    # ${child.meaning}`)];

const elementKeys = ({ keys }: SchemaKey): string[] => keys.map(({ name, meaning }) => `#   ${name}: ${meaning}`);

function list({ name, fallback }: SchemaKey): string[] {
  const elements = fallback as readonly unknown[];
  if (elements.length === 0) return [`${name}: []`];
  return [`${name}:`, ...elements.map((element) => `  - ${yamlFlow(element)}`)];
}

/** One line for each rule with what it does unless told otherwise. */
function rulesBlock({ name, meaning, keys }: SchemaKey): string {
  const mode = keys.find((key) => key.name === "default")?.fallback;
  const lines = RULES.map((rule) => {
    const options = rule.options.parse({}) as Record<string, unknown>;
    return `  # ${rule.id}: ${yamlFlow({ mode, ...options })}`;
  });
  return [
    ...comment(meaning, ""),
    `${name}:`,
    "  # off, watch (only written down) or enforce, for every rule that is not named below",
    `  default: ${yamlFlow(mode)}`,
    '  # Any rule may also have clients: { "client-id": watch } and whenUnavailable: defer or reject.',
    ...lines,
  ].join("\n");
}
