import { readFileSync } from "node:fs";
import type { z } from "zod";
import { isLoopback } from "../kit/ip.ts";
import { Misuse } from "../kit/trouble.ts";
import { wayContradictions } from "./delivering.ts";
import { type Config, configSchema } from "./schema.ts";
import { expandEnvironment, explainAll, firstOf, inFileOrder, parseYaml, type YamlFile } from "./yaml.ts";

/** A checked configuration and where it came from. */
export interface LoadedConfig {
  readonly config: Config;
  readonly file: YamlFile;
}

/** What reading found: a configuration, or what is wrong with it and how much of it is sound. */
export interface ReadConfig {
  readonly file: YamlFile;
  /** "file:line: key: what, and what was expected"; empty when there is a configuration. */
  readonly problems: readonly string[];
  readonly config?: Config;
  /** Sections as the file has them where they are sound, else at their defaults, so that the rest can be looked at. */
  readonly sound: Config;
  /** The sections that are wrong in themselves. */
  readonly unsound: ReadonlySet<string>;
}

/**
 * Reads, expands and checks a configuration. All errors are listed at once, each with file, line, key and expectation.
 *
 * @param text what the file says, when it was read already: workers all start from one reading
 * @throws Misuse
 */
export function loadConfig(path: string, env: NodeJS.ProcessEnv = process.env, text = readText(path)): LoadedConfig {
  const { file, config, problems } = readConfig(path, env, text);
  if (!config) throw new Misuse(`${path} cannot be used:`, problems);
  return { config, file };
}

/** The same without giving up at the first section that is wrong. @throws Misuse when there is nothing to read */
export function readConfig(path: string, env: NodeJS.ProcessEnv = process.env, text = readText(path)): ReadConfig {
  const file = parseYaml(path, text);
  const expanded = expandEnvironment(file, env);
  const result = configSchema.safeParse(expanded.value ?? {});
  const issues = (result.error?.issues ?? []).filter((issue) => !expanded.missing.has(JSON.stringify(issue.path)));
  const unsound = unsoundSections(expanded.missing, result.error?.issues ?? []);
  const sound = result.data ?? soundPart(expanded.value, unsound);
  const all = inFileOrder([
    ...file.problems,
    ...expanded.problems,
    ...(file.problems.length > 0 ? [] : explainAll(file, issues)),
    ...contradictions(sound, unsound).map(([key, text]) => file.at(key, text)),
  ]);
  const problems = firstOf(all, path);
  const config = problems.length === 0 && result.success ? deepFreeze(result.data) : undefined;
  return { file, problems, unsound, sound, ...(config && { config }) };
}

function unsoundSections(missing: ReadonlySet<string>, issues: readonly z.core.$ZodIssue[]): ReadonlySet<string> {
  const keys = [
    ...issues.flatMap((issue) => (issue.path.length > 0 || issue.code !== "unrecognized_keys" ? [] : issue.keys)),
    ...issues.flatMap(({ path: [section] }) => (section === undefined ? [] : [section])),
    ...[...missing].map((key) => (JSON.parse(key) as string[])[0]),
  ];
  return new Set(keys.map(String));
}

/** The configuration without its broken sections. */
function soundPart(value: unknown, unsound: ReadonlySet<string>): Config {
  const sections = typeof value === "object" && value !== null && !Array.isArray(value) ? Object.entries(value) : [];
  const kept = configSchema.safeParse(Object.fromEntries(sections.filter(([name]) => !unsound.has(name))));
  return kept.success ? kept.data : configSchema.parse({});
}

/** @throws Misuse when it cannot be read */
export function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new Misuse(`cannot read the configuration ${path}: ${(error as NodeJS.ErrnoException).code ?? error}`);
  }
}

/** What each key allows alone but not together. A section that is wrong in itself says nothing about the others. */
function contradictions(config: Config, unsound: ReadonlySet<string>): [string[], string][] {
  const sound = (...sections: string[]): boolean => !sections.some((section) => unsound.has(section));
  return [
    ...(sound("listeners", "tls", "trustedProxies") ? listenerContradictions(config) : []),
    ...(sound("lists", "dns") ? listContradictions(config) : []),
    ...(sound("nextHop", "routes", "dns") ? wayContradictions(config) : []),
    ...(sound("limits") ? limitContradictions(config) : []),
    ...(sound("workers", "store") ? workerContradictions(config) : []),
    ...(sound("explain", "refusals") ? explainContradictions(config) : []),
  ];
}

function explainContradictions({ explain, refusals }: Config): [string[], string][] {
  if (!explain.link) return [];
  const found: [string[], string][] = [];
  if (refusals.publicUrl === undefined) found.push([["explain", "link"], "needs refusals.publicUrl"]);
  if (explain.perMinuteMax === 0) found.push([["explain", "link"], "there is no page: explain.perMinuteMax is 0"]);
  return found;
}

function listenerContradictions(config: Config): [string[], string][] {
  const found: [string[], string][] = [];
  config.listeners.forEach((listener, index) => {
    const key = ["listeners", String(index)];
    const local = "path" in listener.listen || isLoopback(listener.listen.host);
    if (!listener.requireTls && !local) {
      found.push([[...key, "requireTls"], "false is for loopback addresses only: passwords would travel in the clear"]);
    }
    if (listener.tls === "implicit" && !config.tls) {
      found.push([[...key, "tls"], "implicit needs tls.certFile and tls.keyFile"]);
    }
    if (listener.proxyHeader && config.trustedProxies.length === 0) {
      found.push([[...key, "proxyHeader"], "needs the hosts that send it in trustedProxies"]);
    }
  });
  return found;
}

const listContradictions = ({ lists, dns }: Config): [string[], string][] =>
  lists.flatMap(({ zone }, index): [string[], string][] =>
    zone !== undefined && dns.servers.length === 0 ? [[["lists", String(index), "zone"], "needs dns.servers"]] : [],
  );

const limitContradictions = ({ limits }: Config): [string[], string][] =>
  limits.headerBytesMax > limits.mailBytesMax
    ? [[["limits", "headerBytesMax"], "cannot be more than limits.mailBytesMax"]]
    : [];

const workerContradictions = ({ workers, store }: Config): [string[], string][] =>
  workers !== 1 && store.url === "memory:"
    ? [[["workers"], "store.url memory: is one process's own; several need embedded: or redis:"]]
    : [];

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    for (const part of Object.values(value)) deepFreeze(part);
    Object.freeze(value);
  }
  return value;
}
