import { stringify } from "yaml";

/** First line of every page written from the source. */
export const GENERATED = "<!-- Written by scripts/docs from the source: change it there. -->";

/** A value on one line, as it would stand in a configuration. */
export const yamlFlow = (value: unknown): string =>
  stringify(value, { collectionStyle: "flow", lineWidth: 0, flowCollectionPadding: true }).trim();

/** A Markdown table. Cells may hold anything but line ends. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(escapeCell).join(" | ")} |`;
  return [line(head), `|${head.map(() => "---").join("|")}|`, ...rows.map(line)].join("\n");
}

const escapeCell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");

/** Text in backticks, also where it holds backticks or nothing. */
export const code = (text: string): string =>
  text === "" ? "" : text.includes("`") ? `\`\` ${text} \`\`` : `\`${text}\``;

/** Breaks text into lines of at most `width` characters, between words. */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/)) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
