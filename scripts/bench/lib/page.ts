/** Puts what was measured into a page, between two marks, and leaves everything else as people wrote it. */
import { readFileSync, writeFileSync } from "node:fs";

const BEGIN = "<!-- scripts/bench/all writes from here -->";
const END = "<!-- to here -->";

export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");

/** @throws Error when the page has no such marks */
export function writeBetweenMarks(path: string, text: string): void {
  const page = readFileSync(path, "utf8");
  const from = page.indexOf(BEGIN);
  const to = page.indexOf(END);
  if (from < 0 || to < from) throw new Error(`${path} has no place for it: ${BEGIN} … ${END}`);
  writeFileSync(path, `${page.slice(0, from + BEGIN.length)}\n\n${text.trim()}\n\n${page.slice(to)}`);
}
