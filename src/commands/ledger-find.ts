/** consentry ledger find: over the hot ledger and the archive, of every node in reach. */
import { createReadStream, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Misuse } from "../kit/trouble.ts";
import type { Entry } from "../ledger/entry.ts";
import type { Search } from "../ledger/journal.ts";
import { maskEntry } from "../ledger/masking.ts";
import type { DayCount, ExportFormat, LedgerReader } from "../ledger/query.ts";
import { inWords } from "./entry-line.ts";
import { count, defineCommand, STDIN, text } from "./globals.ts";
import { type Ground, withGround } from "./ground.ts";
import { noteLookUp } from "./ledger-ask.ts";
import { readSearch, SEARCH_OPTIONS, type Wanted, wordsOf } from "./ledger-search.ts";
import { createProgress, jsonLine, printAll, printTable, Refused, remark } from "./output.ts";
import { type Asker, asOption, needAuditor, whoAsks } from "./who.ts";

export const find = defineCommand({
  command: "find",
  describe: "Look for entries, oldest first; also while the server runs",
  builder: (args) =>
    args
      .options(SEARCH_OPTIONS)
      .option("limit", count("at most so many"))
      .option("count", { type: "boolean", default: false, describe: "only how many, by day, event and verdict" })
      .option("csv", text("write a CSV file, - for stdout"))
      .option("parquet", text("write a Parquet file"))
      .option("case", text("case or request number this is for; kept in the ledger"))
      .option("as", asOption)
      .example("$0 ledger find --to li@mail.example --since 2h", "what became of a mail")
      .example("$0 ledger find --ip 192.0.2.0/24 --since 2026-11-01 --json", "one JSON document a line")
      .example("$0 ledger find --domain shop.example --count", "how much there is, day by day")
      .example("$0 ledger find --client shop --since 4w --csv shop.csv", "as a file")
      .epilogue(
        "A look into the ledger is itself an entry of it. Operators who are not named in ledger.auditors see masked addresses.",
      ),
  handler: (options) =>
    withGround(options.config, async (ground) => {
      const asker = whoAsks(ground.config, options.as);
      const search = readSearch(options, ground.clock.now());
      const limit = readLimit(options.limit);
      checkTarget(options, asker);
      if (!ground.hasJournal() && ground.config.ledger.archiveDir === undefined) {
        throw new Refused(`there is no ledger in ${ground.config.dataDir} yet`);
      }
      const reader = await ground.reader();
      const asked = { ...wordsOf(options), ...(options.case !== undefined && { case: options.case }) };
      const lookUp = await noteLookUp(ground, asker.name, asked);
      const hits = await answer({ reader, search, limit, asker, ground }, options);
      await lookUp.end(hits);
      if (hits === 0) remark("no entry matches");
    }),
});

interface Target {
  readonly csv?: string | undefined;
  readonly parquet?: string | undefined;
  readonly count: boolean;
  readonly json: boolean;
}

interface Looking {
  readonly reader: LedgerReader;
  readonly search: Search;
  readonly limit: number;
  readonly asker: Asker;
  readonly ground: Ground;
}

function readLimit(limit: number | undefined): number {
  if (limit === undefined) return Number.POSITIVE_INFINITY;
  if (!Number.isInteger(limit) || limit < 1) throw new Misuse("--limit: expected a whole number above 0");
  return limit;
}

/** Before anything is noted or looked for. */
function checkTarget(
  { csv, parquet, count: counted, limit }: Target & { limit?: number | undefined },
  asker: Asker,
): void {
  const targets = Object.entries({ csv, parquet, count: counted || undefined }).filter(
    ([, value]) => value !== undefined,
  );
  if (targets.length > 1) throw new Misuse(`one of ${targets.map(([name]) => `--${name}`).join(" and ")}, please`);
  if (targets.length > 0 && limit !== undefined) throw new Misuse("--limit: only for what is shown entry by entry");
  if (parquet === STDIN) throw new Misuse("--parquet: a Parquet file cannot be written to stdout");
  const path = csv ?? parquet;
  if (path === undefined) return;
  needAuditor(asker);
  if (path !== STDIN && existsSync(path)) throw new Refused(`${path} is there already`);
}

/** @returns how many entries were shown, written or counted */
async function answer(looking: Looking, target: Target & Wanted): Promise<number> {
  const { csv, parquet } = target;
  if (target.count) return showCounts(looking, target.json);
  if (csv === STDIN) return printCsv(looking);
  if (csv !== undefined) return writeFile(looking, csv, "csv");
  if (parquet !== undefined) return writeFile(looking, parquet, "parquet");
  return showEntries(looking, target.json);
}

async function showEntries({ reader, search, limit, asker }: Looking, json: boolean): Promise<number> {
  const progress = createProgress("days looked through");
  const seen = asker.role === "auditor" ? (entry: Entry): Entry => entry : maskEntry;
  const show = (entry: Entry): string => `${json ? jsonLine(entry) : inWords(entry)}\n`;
  let shown = 0;
  async function* lines(): AsyncGenerator<string> {
    for await (const entry of reader.find(search, { limit, onDay: progress.at })) {
      shown += 1;
      yield show(seen(entry));
    }
  }
  try {
    await printAll(lines());
  } finally {
    progress.end();
  }
  return shown;
}

const sum = (counts: readonly DayCount[]): number => counts.reduce((total, { entries }) => total + entries, 0);

async function showCounts({ reader, search }: Looking, json: boolean): Promise<number> {
  const counts = await reader.count(search);
  const rows = counts.map(({ date, event, verdict, entries }) => ({
    row: [date, event, verdict ?? "", String(entries)],
    value: { date, event, ...(verdict !== undefined && { verdict }), entries },
  }));
  if (json || rows.length > 0) await printTable({ json }, ["day", "event", "verdict", "entries"], rows);
  return sum(counts);
}

async function writeFile({ reader, search }: Looking, path: string, format: ExportFormat): Promise<number> {
  const written = await reader.write(search, path, format);
  remark(`${path}: ${written} entries`);
  return written;
}

/** Through a private file: what is printed is whole, or nothing. */
async function printCsv({ reader, search }: Looking): Promise<number> {
  const dir = mkdtempSync(join(tmpdir(), "consentry-find-"));
  try {
    const path = join(dir, "found.csv");
    const written = await reader.write(search, path, "csv");
    await printAll(createReadStream(path, "utf8"));
    return written;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
