/** The settings a page of docs/ tells people to write, so that tests can follow it to the letter. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

export interface DocBlock {
  /** The heading it stands below. */
  readonly section: string;
  /** The file it is for, as the fence names it; "" for commands. */
  readonly file: string;
  readonly text: string;
}

/** Every fenced block of a page, in order. @param page below docs/ */
export function docBlocks(page: string): DocBlock[] {
  const blocks: DocBlock[] = [];
  let section = "";
  let open: { file: string; lines: string[] } | undefined;
  for (const line of readFileSync(join(import.meta.dirname, "../../docs", page), "utf8").split("\n")) {
    const fence = /^```(?:\S+ ?(\S*))?$/.exec(line);
    if (open && fence) {
      blocks.push({ section, file: open.file, text: open.lines.join("\n") });
      open = undefined;
    } else if (open) open.lines.push(line);
    else if (fence) open = { file: fence[1] ?? "", lines: [] };
    else section = /^## (.+)$/.exec(line)?.[1] ?? section;
  }
  return blocks;
}

/**
 * The lines of one file in one section, with what is another on a test's machine (ports, directories) put in its place.
 * @throws Error when the page no longer has what is replaced: then the test no longer follows it
 */
export function docLines(
  page: string,
  { section, file }: Pick<DocBlock, "section" | "file">,
  replaced: Readonly<Record<string, string>> = {},
): string[] {
  const blocks = docBlocks(page).filter((block) => block.section === section && block.file === file);
  let text = blocks.map((block) => block.text).join("\n");
  if (text === "") throw new Error(`${page} has no ${file} below ${section}`);
  for (const [from, to] of Object.entries(replaced)) {
    if (!text.includes(from)) throw new Error(`${page} no longer says ${from} in ${file} below ${section}`);
    text = text.replaceAll(from, to);
  }
  return text.split("\n");
}
