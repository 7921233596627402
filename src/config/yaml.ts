import {
  type Document,
  isCollection,
  isMap,
  isPair,
  isScalar,
  LineCounter,
  parseDocument,
  YAMLParseError,
  type Node as YamlNode,
} from "yaml";
import type { z } from "zod";
import { withoutPasswords } from "./redact.ts";

/** A YAML file that can say where each key stands. */
export interface YamlFile {
  readonly path: string;
  /** What was read. The file itself may say something else by now. */
  readonly text: string;
  readonly value: unknown;
  /** Syntax errors, as "file:line: what"; of very many only the first, one more than is told. */
  readonly problems: readonly string[];
  /** "file:line: key: text" for the deepest part of the key that the file has. */
  at(key: readonly PropertyKey[], text: string): string;
  /** A schema's complaint, with the value that was there. */
  explain(issue: z.core.$ZodIssue): string[];
  /** The value at a key as the file has it, before the environment is put in; undefined: the file does not have it. */
  rawAt(key: readonly PropertyKey[]): unknown;
  /** "file:line: problem" for a problem that begins with its key, as compiled rules and packs tell theirs. */
  place(problem: string): string;
  /** The line a key stands in; undefined: the file does not have it. */
  lineOf(key: readonly PropertyKey[]): number | undefined;
}

export function parseYaml(path: string, text: string): YamlFile {
  const lines = new LineCounter();
  const document = parse(text, lines);
  const lineAt = (offset: number | undefined) => (offset === undefined ? undefined : lines.linePos(offset).line);
  const lineOf = (key: readonly PropertyKey[]) => lineAt(keyOffsetOf(document, key));
  const at = (key: readonly PropertyKey[], message: string): string => {
    let line: number | undefined;
    for (let length = key.length; length >= 0 && line === undefined; length -= 1) {
      line = lineAt(offsetOf(document, key.slice(0, length)));
    }
    return `${path}:${line ?? 1}: ${key.length > 0 ? `${keyText(key)}: ` : ""}${message}`;
  };
  const found = problemsIn(document, (offset) => `${path}:${lineAt(offset) ?? 1}: `);
  const { value, trouble } = found.length > 0 ? {} : contentOf(document);
  return {
    path,
    text,
    value,
    problems: trouble === undefined ? found : [`${path}:1: ${trouble}`],
    at,
    place: (problem) => place({ path, lineOf }, problem),
    lineOf,
    rawAt: (key) => {
      const node = document.getIn(key as unknown[], true);
      return isScalar(node) ? node.value : node === undefined ? undefined : (node as YamlNode).toJS(document);
    },
    explain: (issue) => explain(issue, document, { path, at, lineOf }),
  };
}

/**
 * The parser's own ways to say where an error is, and that a key is there twice, take a second for some thousands of them; so do stacks that
 * nobody looks at.
 */
function parse(text: string, lineCounter: LineCounter): Document.Parsed {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return parseDocument(text, { lineCounter, uniqueKeys: false, prettyErrors: false, stringKeys: true });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const nothing = parseDocument("", { lineCounter });
    nothing.errors.push(new YAMLParseError([0, 0], "IMPOSSIBLE", TOO_DEEP));
    return nothing;
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** The parser goes down with the file, and may have nowhere left to go. */
const TOO_DEEP = "is nested too deeply to be read";

/** So many are told of a file, and that there are more. */
const PROBLEMS_MAX = 100;

export const firstOf = (problems: readonly string[], path: string): readonly string[] =>
  problems.length <= PROBLEMS_MAX
    ? problems
    : [...problems.slice(0, PROBLEMS_MAX), `${path}:1: there are more problems than these ${PROBLEMS_MAX}`];

/** A schema's complaints about a file, no more of them than anybody is told. */
export function explainAll(file: YamlFile, issues: readonly z.core.$ZodIssue[]): string[] {
  const problems: string[] = [];
  for (const issue of issues) {
    problems.push(...file.explain(issue));
    if (problems.length > PROBLEMS_MAX) break;
  }
  return problems;
}

function textOf({ code, message }: YAMLParseError): string {
  if (code === "NON_STRING_KEY") return "a key is text, no list and no map";
  return /call stack/.test(message) ? TOO_DEEP : message;
}

/** Of the syntax, in the order of the file. @param at writes file and line */
function problemsIn(document: Document.Parsed, at: (offset: number) => string): string[] {
  const errors = document.errors.map((error) => [error.pos[0], textOf(error)] as const);
  const twice = keysTwice(document.contents).map((offset) => [offset, "Map keys must be unique"] as const);
  return [...errors, ...twice]
    .sort(([a], [b]) => a - b)
    .slice(0, PROBLEMS_MAX + 1)
    .map(([offset, message]) => at(offset) + message.split("\n")[0]);
}

/** Where keys stand that their map has already. */
function keysTwice(root: unknown): number[] {
  const twice: number[] = [];
  const left = [root];
  while (left.length > 0) {
    const node = left.pop();
    if (!isCollection(node)) continue;
    const seen = new Set<unknown>();
    for (const item of node.items) {
      if (!isPair(item)) left.push(item);
      else {
        left.push(item.key, item.value);
        if (!isScalar(item.key)) continue;
        if (seen.has(item.key.value)) twice.push(item.key.range?.[0] ?? 0);
        seen.add(item.key.value);
      }
    }
  }
  return twice;
}

/** A few aliases can stand for billions of values; no configuration needs more than so many. */
const ALIASES_MAX = 100;

function contentOf(document: Document.Parsed): { value?: unknown; trouble?: string } {
  try {
    return { value: document.toJS({ maxAliasCount: ALIASES_MAX }) };
  } catch (error) {
    return { trouble: error instanceof RangeError ? TOO_DEEP : (error as Error).message };
  }
}

/** Where a value, or the pair that holds it, begins. */
function offsetOf(document: Document.Parsed, key: readonly PropertyKey[]): number | undefined {
  const node = key.length === 0 ? document.contents : document.getIn(key as unknown[], true);
  return (node as YamlNode | null | undefined)?.range?.[0];
}

/** Where a key itself begins, which may be a line before its value. */
function keyOffsetOf(document: Document.Parsed, key: readonly PropertyKey[]): number | undefined {
  const parent = key.length > 1 ? document.getIn(key.slice(0, -1) as unknown[], true) : document.contents;
  const name = key.at(-1);
  if (name === undefined || !isMap(parent)) return offsetOf(document, key);
  const pair = parent.items.find((item) => isScalar(item.key) && String(item.key.value) === String(name));
  return (pair?.key as YamlNode | undefined)?.range?.[0];
}

const KEYED = /^((?:"[^"]*"|[\w*-]+)(?:\.(?:"[^"]*"|[\w*-]+))*)\.?: (.*)$/s;

/** The last parts of a key may be one name with dots in it: a domain. */
function place({ path, lineOf }: Pick<YamlFile, "path" | "lineOf">, problem: string): string {
  const [, key, says] = KEYED.exec(problem) ?? [];
  if (key === undefined) return `${path}: ${problem}`;
  const parts = [...key.matchAll(/"([^"]*)"|[\w*-]+/g)].map(([whole, quoted]) => quoted ?? whole);
  for (let length = parts.length; length > 0; length -= 1) {
    const front = parts.slice(0, length);
    const line = lineOf(front) ?? lineOf([...front, parts.slice(length).join(".")]);
    if (line !== undefined) return `${path}:${line}: ${key}: ${says}`;
  }
  return `${path}: ${key}: ${says}`;
}

/** Complaints in the order of the file; those without a line come last. */
export const inFileOrder = (problems: readonly string[]): string[] => {
  const lineOf = (problem: string): number => Number(/^\S*?:(\d+):/.exec(problem)?.[1] ?? Number.POSITIVE_INFINITY);
  return [...problems].sort((a, b) => (lineOf(a) < lineOf(b) ? -1 : lineOf(a) > lineOf(b) ? 1 : 0));
};

/** A key as complaints write it: rules."relay/anonymous".mode */
export const keyText = (key: readonly PropertyKey[]): string =>
  key.map((part) => (/^[\w-]+$/.test(String(part)) ? String(part) : `"${String(part)}"`)).join(".");

function explain(
  issue: z.core.$ZodIssue,
  document: Document.Parsed,
  { path, at, lineOf }: Pick<YamlFile, "path" | "at" | "lineOf">,
): string[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.slice(0, PROBLEMS_MAX + 1).map((name) => {
      const key = [...issue.path, name];
      return `${path}:${lineOf(key) ?? 1}: ${keyText(key)}: there is no such key`;
    });
  }
  const node = document.getIn(issue.path as unknown[], true);
  const value = isScalar(node) ? node.value : node === undefined ? undefined : "…";
  const found = value === undefined ? "is missing" : `${withoutPasswords(JSON.stringify(value))} does not do`;
  return [at(issue.path, `${found}: ${expectation(issue)}`)];
}

/** Of a choice between forms zod says only that none fits; what the first one wanted is more help. */
function expectation(issue: z.core.$ZodIssue): string {
  const first = issue.code === "invalid_union" && issue.message === "Invalid input" ? issue.errors[0]?.[0] : undefined;
  return first?.message ?? issue.message;
}

/** `${NAME}` or `${NAME:-otherwise}` in a text. */
const VARIABLE = /\$\{([A-Z0-9_]+)(?::-([^}]*))?\}/g;

export interface Expanded {
  readonly value: unknown;
  readonly problems: readonly string[];
  /** Keys, as JSON, whose variable is not there: nothing else need be said about them. */
  readonly missing: ReadonlySet<string>;
}

/**
 * Replaces `${NAME}` and `${NAME:-default}` in every string of a file: secrets come from the environment, not from files in
 * a repository. A variable that is not set and has no default is a problem.
 */
export function expandEnvironment(file: YamlFile, env: NodeJS.ProcessEnv): Expanded {
  const problems: string[] = [];
  const missing = new Set<string>();
  const expand = (value: unknown, key: readonly PropertyKey[]): unknown => {
    if (typeof value === "string") {
      return value.replace(VARIABLE, (_, name: string, fallback: string | undefined) => {
        const found = env[name] ?? fallback;
        if (found !== undefined) return found;
        problems.push(file.at(key, `the environment has no ${name}`));
        missing.add(JSON.stringify(key));
        return "";
      });
    }
    if (Array.isArray(value)) return value.map((part, index) => expand(part, [...key, index]));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, expand(part, [...key, name])]));
  };
  return { value: expand(file.value, []), problems, missing };
}

/** The variables a text of the file asks for that the environment has. */
export const variablesIn = (text: string, env: NodeJS.ProcessEnv): string[] =>
  [...text.matchAll(VARIABLE)].map(([, name = ""]) => name).filter((name) => env[name] !== undefined);
