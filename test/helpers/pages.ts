/** Reads what pages (Markdown) and comments point at: links, paths, commands, settings. */

export interface Page {
  readonly path: string;
  readonly text: string;
}

const FENCE = /^```.*?^```/gms;

/** Links of a page to files and headings here: [text](target). */
const LINK = /\]\(([^)\s]+)\)/g;

const PATH = /(?<![\w./$}-])(?:docs|src|test|scripts|config|docker)\/[\w-]+(?:[./][\w-]+)*/g;

/** @param textOf the text of a target ("" for one that is no page), undefined when it is gone */
export function deadLinks({ path, text }: Page, textOf: (target: string) => string | undefined): string[] {
  return localLinks(text)
    .filter((link) => {
      const [target = "", heading] = link.split("#");
      const page = target === "" ? text : textOf(target);
      return page === undefined || (heading !== undefined && !anchorsOf(page).includes(heading));
    })
    .map((link) => `${path}: ${link}`);
}

/** Paths below the directories of this repository that are not there. */
export function gonePaths({ path, text }: Page, there: (path: string) => boolean): string[] {
  const named = new Set([...text.replace(FENCE, "").matchAll(PATH)].map(([name]) => name));
  return [...named].filter((name) => !there(name)).map((name) => `${path}: ${name}`);
}

/** Keys in code, `section.key`, whose section config/consentry.yaml has and whose last word it has not. */
export function goneKeys({ path, text }: Page, yaml: string): string[] {
  const named = [...text.matchAll(/`(\w+)((?:\.[A-Za-z]\w*)+)`/g)].map(([, section = "", rest = ""]) => ({
    section,
    rest,
  }));
  return named
    .filter(({ section, rest }) => rest !== ".ts" && new RegExp(`^(?:# )?${section}:`, "m").test(yaml))
    .filter(({ rest }) => !new RegExp(`^[# {]*\\s*(?:#\\s*)*${rest.split(".").at(-1)}:`, "m").test(yaml))
    .map(({ section, rest }) => `${path}: ${section}${rest}`);
}

/** What is said in comments: behind //, /**, * or #. */
export function remarksOf(text: string): string {
  return [...text.matchAll(/(?:^|\s)(?:\/\/|\/\*\*?|\*|#)(\s.*)$/gm)].map(([, remark = ""]) => remark).join("\n");
}

export interface Row {
  /** The code in a row's first cell, as it stands. */
  readonly spans: readonly string[];
  /** The commands it names: "queue list", "queue show", "rules". */
  readonly names: readonly string[];
}

/** The rows of a page's table of commands: those whose first cell begins with a command in code. */
export function tableOf(text: string): Row[] {
  return [...text.matchAll(/^\| (`[a-z][^\n]*?) \| [^\n]*$/gm)].map(([, cell = ""]) => {
    const spans = [...cell.matchAll(/`([^`]+)`/g)].map(([, span = ""]) => span.replaceAll("\\|", "|"));
    return { spans, names: spans.flatMap(namesIn) };
  });
}

/** `client add|set` → "client add", "client set"; `check FILE` → "check". */
function namesIn(span: string): string[] {
  const [, name = "", members] = /^([a-z-]+)(?: ([a-z-]+(?:\|[a-z-]+)*)(?= |$))?/.exec(span) ?? [];
  return members === undefined || members.startsWith("-") ? [name] : members.split("|").map((one) => `${name} ${one}`);
}

/** A group that is named alone stands for its members. */
export function coveredBy(rows: readonly Row[]): (command: string) => boolean {
  const names = rows.flatMap((row) => row.names);
  return (command) => names.includes(command) || names.includes(command.split(" ")[0] ?? "");
}

/** The lines of a page's code blocks without their remarks; drawings are left out. */
export function codeOf(text: string): string[] {
  return [...text.matchAll(FENCE)]
    .map(([block]) => block)
    .filter((block) => !block.includes("▶"))
    .flatMap((block) => block.split("\n").map((line) => line.replace(/\s+# .*$/, "").trim()));
}

/** Where a page's links lead, in order, those between the languages left out. */
export const targetsOf = (text: string): string[] => localLinks(text).filter((link) => !link.startsWith("README"));

const localLinks = (text: string): string[] =>
  [...text.replace(FENCE, "").matchAll(LINK)].map(([, link = ""]) => link).filter((link) => !/^[a-z]+:/.test(link));

/** Headings as GitHub makes them into anchors. */
const anchorsOf = (text: string): string[] =>
  [...text.replace(FENCE, "").matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .trim()
      .replace(/\s/g, "-"),
  );
