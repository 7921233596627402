import { configKeys } from "./config-defaults.ts";
import type { SchemaKey } from "./schema-keys.ts";
import { code, GENERATED, table, yamlFlow } from "./text.ts";

const INTRO = `# Configuration

One YAML file; \`--config FILE\`, else \`config/consentry.yaml\`, which shows every key at its default. Unknown keys are errors, and
all errors are listed at once with their lines. \`\${NAME}\` and \`\${NAME:-otherwise}\` are taken from the environment.
\`consentry config check\` checks a file, \`consentry config show\` tells the effective values and where each comes from.
Times end in \`Ms\` (milliseconds) or \`Days\`, sizes in \`Bytes\`, bounds in \`Max\`.`;

const HEAD = ["key", "default", "allowed", "meaning"];

/** docs/reference/config.md */
export function configPage(): string {
  const keys = configKeys();
  const plain = keys.filter((key) => key.keys.length === 0);
  const sections = keys.filter((key) => key.keys.length > 0);
  return `${[
    GENERATED,
    INTRO,
    table(
      HEAD,
      plain.map((key) => row(key)),
    ),
    ...sections.map(section),
  ].join("\n\n")}\n`;
}

function section(key: SchemaKey): string {
  const rows = key.keys.map((child) => row(child));
  return `## ${key.isList ? `${key.name}[]` : key.name}\n\n${sentence(key)}\n\n${table(HEAD, rows)}${rulesHint(key)}`;
}

const row = ({ name, fallback, allowed, meaning }: SchemaKey): string[] => [
  code(name),
  fallback === undefined ? "" : code(yamlFlow(fallback)),
  allowed,
  meaning,
];

function sentence({ meaning, isList, fallback }: SchemaKey): string {
  const text = `${meaning.charAt(0).toUpperCase()}${meaning.slice(1)}.`;
  if (!isList) return fallback === undefined ? `${text} Not set by default.` : text;
  const elements = (fallback as readonly unknown[]).map((element) => `    - ${yamlFlow(element)}`);
  return `${text} Default:\n\n${elements.join("\n")}`;
}

const rulesHint = ({ name }: SchemaKey): string =>
  name === "rules" ? "\n\nThe rules, their modes and options: [rules.md](rules.md)." : "";
