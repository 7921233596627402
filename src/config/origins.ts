/**
 * Every key that is in force, with its value and where that comes from. Secrets are left out: passwords of URLs, the ledger's keys, and
 * what comes from an environment variable that is named like one.
 */
import type { LoadedConfig } from "./load.ts";
import { withoutPasswords } from "./redact.ts";
import { configSchema } from "./schema.ts";
import { keyText, variablesIn, type YamlFile } from "./yaml.ts";

export type Origin =
  | { readonly from: "default" }
  | { readonly from: "file"; readonly path: string; readonly line: number }
  | { readonly from: "environment"; readonly names: readonly string[]; readonly path: string; readonly line: number };

export interface EffectiveKey {
  readonly key: string;
  readonly value: string;
  readonly origin: Origin;
  /** The value is not what it would be without a file. */
  readonly changed: boolean;
}

type KeyPath = readonly PropertyKey[];

/** Sections whose names are the operator's: given as a whole, and what is in them is no default of ours. */
const OPEN_SECTIONS: readonly KeyPath[] = [
  ["packs", "byRecipientDomain"],
  ["packs", "modes"],
];
const SECRET_NAME = /PASS|SECRET|TOKEN|KEY|CREDENTIAL/;

/** Nobody should write them into the file; whoever does is not shown to others. */
const SECRET_KEYS: readonly string[] = ["ledger.sealKey", "ledger.archiveKey"];

/** In the order of the schema; optional keys that are not set are left out. */
export function effectiveKeys({ config, file }: LoadedConfig, env: NodeJS.ProcessEnv = process.env): EffectiveKey[] {
  const defaults = new Map(leaves(configSchema.parse({}), []).map(({ key, value }) => [keyText(key), value]));
  return leaves(config, []).map(({ key, value }) => {
    const origin = originOf(file, key, env);
    return {
      key: keyText(key),
      value: SECRET_KEYS.includes(keyText(key)) ? "***" : shownValue(value, origin),
      origin,
      changed: defaults.get(keyText(key)) !== value,
    };
  });
}

interface Leaf {
  readonly key: KeyPath;
  readonly value: string;
}

function leaves(value: unknown, key: KeyPath): Leaf[] {
  if (Array.isArray(value)) {
    return value.some((part) => typeof part === "object")
      ? value.flatMap((part, index) => leaves(part, [...key, index]))
      : [{ key, value: `[${value.join(", ")}]` }];
  }
  if (typeof value !== "object" || value === null) return [{ key, value: String(value) }];
  const endpoint = endpointText(value);
  if (endpoint !== undefined) return [{ key, value: endpoint }];
  const entries = Object.entries(value).filter(([, part]) => part !== undefined);
  return entries.length === 0
    ? [{ key, value: "{}" }]
    : entries.flatMap(([name, part]) => leaves(part, [...key, name]));
}

/** An address to listen on, as the file writes it. */
function endpointText(value: object): string | undefined {
  const { host, port, path } = value as { host?: string; port?: number; path?: string };
  if (host !== undefined && port !== undefined) return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  return path === undefined ? undefined : `unix:${path}`;
}

/** Where the value of a key comes from. */
export function originOf(file: YamlFile, key: KeyPath, env: NodeJS.ProcessEnv = process.env): Origin {
  const line = file.lineOf(key) ?? openSectionLine(file, key);
  if (line === undefined) return { from: "default" };
  const names = textsOf(file.rawAt(key)).flatMap((text) => variablesIn(text, env));
  return names.length > 0
    ? { from: "environment", names: [...new Set(names)], path: file.path, line }
    : { from: "file", path: file.path, line };
}

/** Names there may be written otherwise in the file than we keep them (capitals). */
function openSectionLine(file: YamlFile, key: KeyPath): number | undefined {
  const section = OPEN_SECTIONS.find((open) => open.every((name, index) => key[index] === name));
  return section && file.lineOf(section);
}

const textsOf = (raw: unknown): string[] =>
  Array.isArray(raw) ? raw.flatMap(textsOf) : typeof raw === "string" ? [raw] : [];

const shownValue = (value: string, origin: Origin): string =>
  origin.from === "environment" && origin.names.some((name) => SECRET_NAME.test(name)) && !value.includes("://")
    ? "***"
    : withoutPasswords(value);

/** An origin in words. */
export function originText(origin: Origin): string {
  if (origin.from === "default") return "default";
  const place = `${origin.path}:${origin.line}`;
  if (origin.from === "file") return place;
  return `environment ${origin.names.join(", ")}, by ${origin.names.map((name) => `\${${name}}`).join(" ")} in ${place}`;
}
