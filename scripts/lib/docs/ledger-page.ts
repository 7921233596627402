import { readFileSync } from "node:fs";
import { EVENTS } from "../../../src/ledger/events.ts";
import { archivePart } from "./archive-part.ts";
import { code, GENERATED, table } from "./text.ts";

const INTRO = `# The ledger

One entry for each recipient of each mail, and for everything else that must be answerable later. It is on disk before the client
hears a reply. There is no subject, no body and no file name in it. \`consentry ledger find\` searches it, \`--json\` prints one
entry a line with the fields below.

An accepted mail leaves two entries: \`received\`, written before the next hop may take it, and \`handed-over\`, written before our client
hears 250. A \`received\` without its \`handed-over\` is a mail whose end nobody saw: the server stopped in between, and the sender's
server, which heard no 250, sends it again. With \`nextHop.mode: queue\` the mail is in our custody from \`received\` (or \`held\`) on, and \`delayed\`,
\`handed-over\`, \`bounced\`, \`expired\` or \`dropped\` follow for each recipient, however much later; docs/queue.md has the rest.`;

interface Field {
  readonly name: string;
  readonly optional: boolean;
  readonly type: string;
  readonly meaning: string;
}

/** docs/reference/ledger.md */
export function ledgerPage(): string {
  const events = Object.entries(EVENTS).map(([name, meaning]) => [code(name), meaning]);
  const fields = entryFields().map(({ name, optional, type, meaning }) => [
    code(name),
    optional ? "" : "always",
    code(type),
    meaning,
  ]);
  const parts = [
    GENERATED,
    INTRO,
    `## Events\n\n${table(["event", "when"], events)}`,
    `## Fields of an entry\n\n${table(["field", "", "type", "meaning"], fields)}`,
    archivePart(),
  ];
  return `${parts.join("\n\n")}\n`;
}

const SOURCE = new URL("../../../src/ledger/entry.ts", import.meta.url);
/** `readonly name?: type;` with the comment that stands above it, if any. */
const FIELD = /(?:\/\*\*((?:[^*]|\*(?!\/))*)\*\/\s*)?readonly (\w+)(\??): ([^;]+);/g;

/** Read from the declaration of Entry, whose comments are the only place where fields are explained. */
function entryFields(source = readFileSync(SOURCE, "utf8")): Field[] {
  const body = source.slice(source.indexOf("export interface Entry"));
  return [...body.matchAll(FIELD)].map(([, comment = "", name = "", mark, type = ""]) => ({
    name,
    optional: mark === "?",
    type: type.replace(/^Readonly<(.*)>$/, "$1").replace(/^readonly /, ""),
    meaning: comment.replace(/\s*\n\s*\*\s*/g, " ").trim(),
  }));
}
