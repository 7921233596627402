/** Reads source text by its formatting, for test/tidy.test.ts: quick, and exact as long as the formatter has run. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix, relative } from "node:path";

export const HOUSE = join(import.meta.dirname, "../..");

export interface SourceFile {
  /** Below the house: "src/mail/path.ts". */
  readonly path: string;
  readonly text: string;
  readonly lines: readonly string[];
}

/** All files below a folder of the house with one of these endings. */
export function sources(folder: string, endings = [".ts"]): SourceFile[] {
  return readdirSync(join(HOUSE, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && endings.some((ending) => entry.name.endsWith(ending)))
    .map((entry) => {
      const path = relative(HOUSE, join(entry.parentPath, entry.name));
      const text = readFileSync(join(HOUSE, path), "utf8");
      return { path, text, lines: text.split("\n") };
    })
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

export interface Import {
  /** As written: "./x.ts", "zod", "node:fs". */
  readonly from: string;
  /** What it names below the house, where it is a path of ours. */
  readonly path?: string;
  /** Gone at run time. */
  readonly typeOnly: boolean;
  /** The names between the braces. */
  readonly names: readonly string[];
}

const STATEMENT = /^(?:import|export)\s+(type\s+)?([^;"]*?)\s*from\s+"([^"]+)"/gm;
const DYNAMIC = /\bimport\(\s*"([^"]+)"\s*\)/g;

export function importsOf({ path, text }: SourceFile): Import[] {
  const found: Import[] = [];
  const add = (from: string, clause: string, typeOnly: boolean): void => {
    const parts = /\{([^}]*)\}/.exec(clause)?.[1]?.split(",") ?? [];
    const names = parts.map((part) => part.trim()).filter((part) => part !== "");
    found.push({
      from,
      typeOnly: typeOnly || (names.length > 0 && names.every((name) => name.startsWith("type "))),
      names,
      ...(from.startsWith(".") && { path: posix.normalize(posix.join(dirname(path), from)) }),
    });
  };
  for (const [, type, clause = "", from = ""] of text.matchAll(STATEMENT)) add(from, clause, type !== undefined);
  for (const [, from = ""] of text.matchAll(DYNAMIC)) add(from, "", false);
  return found;
}

export interface FunctionSpan {
  readonly path: string;
  /** First line, counted from 1. */
  readonly line: number;
  readonly name: string;
  readonly lines: number;
}

const CONTROL =
  /^\s*(?:\}\s*)?(?:if|else|for|while|do|switch|try|catch|finally|return|throw|await|new|class|interface|type)\b/;
const NAMED =
  /^\s*(?:export\s+)?(?:default\s+)?(?:(?:async|static|override|private|public|readonly|get|set)\s+)*(?:function\b\s*\*?\s*|(?:const|let)\s+|\*\s*)?([#\w$]+)/;

/** Every function with a body of its own, by indentation: it ends where a line is indented as its first and closes. */
export function functionsOf({ path, lines }: SourceFile): FunctionSpan[] {
  const found: FunctionSpan[] = [];
  lines.forEach((line, index) => {
    if (!/(?:\{|=>)$/.test(line) || /^\s*(?:\*|\/\/)/.test(line)) return;
    const start = startOf(lines, index);
    const first = lines[start] ?? "";
    if (!isFunction(first, line)) return;
    const end = line.endsWith("{") ? closing(lines, index) : lastOfExpression(lines, start);
    found.push({ path, line: start + 1, name: NAMED.exec(first)?.[1] ?? "(unnamed)", lines: end - start + 1 });
  });
  return found;
}

const indentOf = (line: string): number => line.length - line.trimStart().length;

/** A header may be spread over lines: it begins where a line indented as its last does not close a bracket. */
function startOf(lines: readonly string[], index: number): number {
  const indent = indentOf(lines[index] ?? "");
  let start = index;
  while (start > 0 && (/^\s*[)}\]]/.test(lines[start] ?? "") || indentOf(lines[start] ?? "") > indent)) start -= 1;
  return start;
}

function isFunction(first: string, last: string): boolean {
  if (/=>(?: \{)?$/.test(last)) return true;
  if (CONTROL.test(first)) return false;
  return /\)(?::\s.*)? \{$/.test(last) || /^\s*\}.*\): .*\{$/.test(last);
}

function closing(lines: readonly string[], opened: number): number {
  const indent = indentOf(lines[opened] ?? "");
  for (let at = opened + 1; at < lines.length; at += 1) {
    const line = lines[at] ?? "";
    if (line.trim() !== "" && indentOf(line) <= indent) return at;
  }
  return lines.length - 1;
}

/** An arrow's expression is indented more than its first line, or closes brackets. */
function lastOfExpression(lines: readonly string[], start: number): number {
  const indent = indentOf(lines[start] ?? "");
  let at = start + 1;
  while (at < lines.length && (indentOf(lines[at] ?? "") > indent || /^\s*[)}\]]/.test(lines[at] ?? ""))) at += 1;
  return at - 1;
}

/** Files that import each other in a circle, if only for a type, each circle once. */
export function circles(files: readonly SourceFile[]): string[][] {
  const needs = new Map(
    files.map((file) => [file.path, importsOf(file).flatMap(({ path }) => (path === undefined ? [] : [path]))]),
  );
  const found = new Map<string, string[]>();
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    const seen = trail.indexOf(path);
    if (seen >= 0) {
      const circle = trail.slice(seen);
      found.set([...circle].sort().join(" "), [...circle, path]);
      return;
    }
    if (done.has(path)) return;
    for (const next of needs.get(path) ?? []) visit(next, [...trail, path]);
    done.add(path);
  };
  for (const { path } of files) visit(path, []);
  return [...found.values()];
}
