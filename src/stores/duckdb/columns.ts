/** The columns of the archive, one for each field of an entry, in their order: docs/reference/ledger.md explains them. */
import type { Entry } from "../../ledger/entry.ts";
import { type Cell, type Kind, PAGE_ROWS, type ParquetColumn } from "./parquet/columns.ts";
import { fullId, shortId } from "./short-id.ts";

/** Raised when a column changes its meaning; a column more does not raise it. */
export const SCHEMA_VERSION = 1;

interface Column {
  readonly name: string;
  readonly field: keyof Entry;
  readonly type: "VARCHAR" | "VARCHAR[]" | "BIGINT" | "INTEGER" | "TIMESTAMP_MS";
}

const column = (name: string, field: keyof Entry, type: Column["type"] = "VARCHAR"): Column => ({ name, field, type });

/** Only ever add at the end: what a row's seal is made of depends on the order. */
export const COLUMNS = [
  column("at", "at", "TIMESTAMP_MS"),
  column("id", "id"),
  column("event", "event"),
  column("mail_id", "mailId"),
  column("queue_id", "queueId"),
  column("session_id", "sessionId"),
  column("door", "door"),
  column("direction", "direction"),
  column("sender", "sender"),
  column("recipient", "recipient"),
  column("client_ip", "clientIp"),
  column("client_port", "clientPort", "INTEGER"),
  column("server_ip", "serverIp"),
  column("next_hop_ip", "nextHopIp"),
  column("helo", "helo"),
  column("login", "login"),
  column("client", "client"),
  column("message_id", "messageId"),
  column("size_bytes", "sizeBytes", "BIGINT"),
  column("tls", "tls"),
  column("verdict", "verdict"),
  column("rules", "rules", "VARCHAR[]"),
  column("articles", "articles", "VARCHAR[]"),
  column("packs", "packs", "VARCHAR[]"),
  column("reply", "reply"),
  column("evidence", "evidence"),
  column("actor", "actor"),
  column("clock", "clock"),
] as const;

type Covered = Exclude<keyof Entry, (typeof COLUMNS)[number]["field"]>;
/** Does not compile when a field of Entry has no column. */
const ALL_COVERED: [Covered] extends [never] ? true : Covered = true;

const KINDS: Record<Column["type"], Kind> = {
  VARCHAR: "text",
  "VARCHAR[]": "texts",
  INTEGER: "int32",
  BIGINT: "int64",
  TIMESTAMP_MS: "time",
};

/** By which engines can tell row groups that they need not read. */
const WITH_STATISTICS: readonly string[] = ["at", "client_ip"];

/** Short, so that twice the rows are hardly more to unpack; and they become smaller so. */
const LIGHT: readonly string[] = ["client_port", "size_bytes", "session_id", "login"];

/** The same, for whoever writes or reads the files themselves. */
export const PARQUET_COLUMNS: readonly ParquetColumn[] = COLUMNS.map(({ name, type }) => ({
  name,
  kind: KINDS[type],
  ...(WITH_STATISTICS.includes(name) && { statistics: true }),
  ...(name === "at" && { deltas: true }),
  ...(LIGHT.includes(name) && { pageRows: 2 * PAGE_ROWS }),
}));

/** Where a column stands in a row. */
export const placeOf = (name: (typeof COLUMNS)[number]["name"]): number =>
  COLUMNS.findIndex((each) => each.name === name);

const quoted = (name: string): string => `"${name}"`;
export const COLUMN_LIST = COLUMNS.map(({ name }) => quoted(name)).join(", ");

/** What DuckDB is told about the lines that `toLine` writes. */
export const LINE_TYPES = `{${COLUMNS.map(({ name, type }) => `${quoted(name)}: '${type === "TIMESTAMP_MS" ? "BIGINT" : type}'`).join(", ")}}`;

/** Reads such lines as rows of the archive. */
export const FROM_LINES = COLUMNS.map(({ name, type }) =>
  type === "TIMESTAMP_MS" ? `make_timestamp_ms("${name}")::TIMESTAMP_MS AS "${name}"` : quoted(name),
).join(", ");

/** In a reply, "{id}" stands for the mail's id, which nearly every refusal repeats. */
const PLACEHOLDER = "{id}";
const ESCAPED_BRACE = "{(}";

const shortReply = (reply: string, mailId: string | undefined): string => {
  const escaped = reply.replaceAll("{", ESCAPED_BRACE);
  return mailId ? escaped.replaceAll(mailId, PLACEHOLDER) : escaped;
};

const fullReply = (reply: string, mailId: string | undefined): string =>
  reply.replaceAll(PLACEHOLDER, mailId ?? "").replaceAll(ESCAPED_BRACE, "{");

/** Fields that are ids of ours, and are kept short. */
const ID_FIELDS: readonly (keyof Entry)[] = ["id", "mailId", "sessionId"];

/** What stands in a column instead of the field's value. */
const packed: Partial<Record<keyof Entry, (entry: Entry) => unknown>> = {
  id: ({ id, at }) => shortId(id, at),
  mailId: ({ mailId, at }) => (mailId === undefined ? undefined : shortId(mailId, at)),
  sessionId: ({ sessionId, at }) => (sessionId === undefined ? undefined : shortId(sessionId, at)),
  reply: ({ reply, mailId }) => (reply === undefined ? undefined : shortReply(reply, mailId)),
  evidence: ({ evidence }) => (evidence === undefined ? undefined : JSON.stringify(evidence)),
};

const rawValue = (entry: Entry, field: keyof Entry): unknown => {
  const pack = packed[field];
  return pack ? pack(entry) : entry[field];
};

/** An entry as a row of a Parquet file of ours. */
export const toCells = (entry: Entry): Cell[] => COLUMNS.map(({ field }) => (rawValue(entry, field) ?? null) as Cell);

/** Half a surrogate pair is no text: no engine would read the file. */
const BROKEN_TEXT = /\\u[dD][89a-fA-F]/;
const wellFormed = (_: string, value: unknown): unknown => (typeof value === "string" ? value.toWellFormed() : value);

/** An entry as one line of JSON, to be read with LINE_TYPES. */
export function toLine(entry: Entry): string {
  const row: Record<string, unknown> = {};
  for (const { name, field } of COLUMNS) {
    const value = rawValue(entry, field);
    if (value !== undefined) row[name] = value;
  }
  const line = JSON.stringify(row);
  return BROKEN_TEXT.test(line) ? JSON.stringify(JSON.parse(line, wellFormed)) : line;
}

/** SQL that gives a row's columns as cells of a Parquet file of ours. */
export const FOR_CELLS = COLUMNS.map(({ name, type }) => {
  if (type === "TIMESTAMP_MS") return `epoch_ms("${name}")::DOUBLE AS "${name}"`;
  return type === "BIGINT" ? `"${name}"::DOUBLE AS "${name}"` : quoted(name);
}).join(", ");

/** The text that SEAL_TEXT gives, of a row of FOR_CELLS. */
export const sealText = (cells: readonly Cell[]): string =>
  cells
    .map((cell) => (cell === null ? "\u001e" : Array.isArray(cell) ? cell.join("\u001d") : String(cell)))
    .join("\u001f");

/** SQL that gives an entry's columns as they can be turned back into an entry. */
export const FOR_ENTRY = COLUMNS.map(({ name, type }) =>
  type === "TIMESTAMP_MS" ? `epoch_ms("${name}") AS "${name}"` : quoted(name),
).join(", ");

/** A row of FOR_ENTRY, in its order, as an entry. */
export function toEntry(row: readonly unknown[]): Entry {
  const entry: Record<string, unknown> = {};
  COLUMNS.forEach(({ field, type }, index) => {
    const value = row[index];
    if (value === null || value === undefined || !ALL_COVERED) return;
    entry[field] = type === "TIMESTAMP_MS" || type === "BIGINT" ? Number(value) : value;
  });
  const { at } = entry as unknown as Entry;
  for (const field of ID_FIELDS) {
    const short = entry[field];
    if (typeof short === "string") entry[field] = fullId(short, at);
  }
  const { mailId } = entry as unknown as Entry;
  if (typeof entry.reply === "string") entry.reply = fullReply(entry.reply, mailId);
  if (typeof entry.evidence === "string") entry.evidence = JSON.parse(entry.evidence);
  return entry as unknown as Entry;
}

/** SQL of an id in full. @param name its column */
export const fullIdSql = (name: string): string => `ledger_id("${name}", epoch_ms("at"))`;

/** SQL for whoever shall see an entry as it was: ids and replies in full. */
export const IN_FULL = COLUMNS.map(({ name, field }) => {
  if (ID_FIELDS.includes(field)) return `${fullIdSql(name)} AS "${name}"`;
  if (name === "reply") {
    return `replace(replace(reply, '${PLACEHOLDER}', coalesce(${fullIdSql("mail_id")}, '')), '${ESCAPED_BRACE}', '{') AS reply`;
  }
  return quoted(name);
}).join(", ");

/**
 * SQL of the text a row's seal is made from: every column in order with U+001F between, U+001E for what is not there, items of a list with
 * U+001D between, the time in ms.
 */
export const SEAL_TEXT = `concat_ws(chr(31), ${COLUMNS.map(({ name, type }) => {
  if (type === "TIMESTAMP_MS") return `epoch_ms("${name}")::VARCHAR`;
  if (type === "VARCHAR[]") return `coalesce(array_to_string("${name}", chr(29)), chr(30))`;
  return type === "VARCHAR" ? `coalesce("${name}", chr(30))` : `coalesce("${name}"::VARCHAR, chr(30))`;
}).join(", ")})`;
