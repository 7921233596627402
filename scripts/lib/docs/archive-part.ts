import { COLUMNS, SCHEMA_VERSION } from "../../../src/stores/duckdb/columns.ts";
import { GROUP_ROWS, PAGE_ROWS } from "../../../src/stores/duckdb/parquet/columns.ts";
import { ID_MACROS } from "../../../src/stores/duckdb/short-id.ts";
import { code, table } from "./text.ts";

const INTRO = `## The archive, for any engine

Entries are appended to files of lines in \`dataDir/ledger\`, one for each hour and process. An hour that is over becomes a Parquet file, and an hour
after midnight (UTC) a day becomes one volume, sorted by client address, sealed and never changed again. \`ledger.archiveDir\` may be a directory
that several nodes share, or that their days are copied to: a search sees all that is there, whoever wrote it.

\`\`\`
date=2026-11-22/node=relay-7k3q/day.parquet     the entries (zstd, row groups of ${GROUP_ROWS} rows)
                                day.seal        a line of JSON and its Ed25519 signature: files with their SHA-256, counts, the seal before
                                day.rows        the id of each entry and a byte of its row's SHA-256, and hashes of 256 rows together
                                day.index       where each page lies, and in which an address stands; nothing but searches are slower without it
                                late-1.parquet  what turned up when the day was sealed already; late-2 …
                                07.parquet      an hour of a day that goes on; it counts when open.json lists it
                                open.json
seals/relay-7k3q.jsonl                          all seals of a node, also of days that were deleted
\`\`\`

A volume counts when its seal is there. An hour file counts when \`open.json\` lists it and no seal names it in \`replaces\`; it stays for an hour after
that for searches that have begun. A reader that takes sealed volumes only needs no more than \`day.parquet\` and \`late-*.parquet\` beside their seals.

Parquet files are written by consentry itself, with pages of ${PAGE_ROWS} rows (${2 * PAGE_ROWS} of a few short columns) where an engine would write one of a whole
row group: a look-up unpacks a page, not a group. Before a volume is sealed DuckDB has to find in it the very rows of its day's hours.

With \`ledger.archiveKeyFile\` the Parquet files are encrypted by Parquet's modular encryption as DuckDB has it: AES-GCM, a footer key of 256 bits for all
modules, random nonces, no additional data (other engines want some, and do not read it). The key is derived for each node and month by HKDF-SHA256 from the
site's key, without salt, with the info \`consentry ledger parquet 2026-11 relay-7k3q\`. DuckDB takes it with
\`PRAGMA add_parquet_key('k', '<base64>')\` and \`encryption_config = {footer_key: 'k'}\`. Seals, and so the numbers in them, are not encrypted; nor is
the day that goes on in \`dataDir/ledger\`.`;

const SQL = `### In SQL

Three columns hold ids in short: the milliseconds from the id's time to the entry's, the run of the process, its count and, for mails, a seal. The macro
\`ledger_id\` gives them back in full; in a \`reply\` \`{id}\` stands for the mail's id and \`{(}\` for a brace. This is for DuckDB, and any engine
can do the same:

\`\`\`sql macros.sql
${ID_MACROS.map((macro) => `${macro};`).join("\n")}
\`\`\`

All of one recipient, as \`consentry ledger find --to li@example.com\` shows it, where every day is sealed:

\`\`\`sql recipient.sql
SELECT "at", ledger_id(id, epoch_ms("at")) AS id, event, sender, recipient, client_ip, verdict,
       replace(replace(reply, '{id}', coalesce(ledger_id(mail_id, epoch_ms("at")), '')), '{(}', '{') AS reply
  FROM read_parquet(['date=*/node=*/day.parquet'], hive_partitioning = true)
 WHERE lower(recipient) = 'li@example.com'
 ORDER BY "at", id;
\`\`\`

\`\`\`sql counts.sql
SELECT date, node, event, verdict, count(*) AS entries
  FROM read_parquet(['date=*/node=*/day.parquet'], hive_partitioning = true)
 GROUP BY ALL
 ORDER BY ALL;
\`\`\``;

const MEANINGS: Readonly<Record<string, string>> = {
  at: "UTC, milliseconds",
  id: "in short",
  mailId: "in short",
  sessionId: "in short",
  reply: "with `{id}` for the mail's id",
  evidence: "JSON",
};

/** The part of docs/reference/ledger.md about the archive's files. */
export function archivePart(): string {
  const rows = COLUMNS.map(({ name, type, field }) => [
    code(name),
    code(type.replace("_MS", "")),
    code(field),
    MEANINGS[field] ?? "",
  ]);
  const columns = table(["column", "type", "field", ""], rows);
  const version = `### Columns, schema ${SCHEMA_VERSION}

A column more does not raise the version, which the seal has as \`schema\`; another meaning does. What an entry lacks is NULL.`;
  return [INTRO, `${version}\n\n${columns}`, SQL].join("\n\n");
}
