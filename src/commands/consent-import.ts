/**
 * Reads consents from CSV into the register, batch by batch in bounded memory. A line that does not do is told and left out;
 * a refusal recorded since a consent was given stands, so that a file can be imported again at any time.
 */
import { createHash } from "node:crypto";
import { type CsvRecord, readCsv } from "../kit/csv.ts";
import { Misuse } from "../kit/trouble.ts";
import { type Consent, type ConsentRegister, type GrantCounts, granting } from "../registers/consents.ts";
import { type Advertisers, FieldProblem, readHeader, readLine } from "./consent-csv.ts";

/** One round through the register. */
const BATCH_LINES = 1_000;

export interface ImportParts {
  readonly consents: Pick<ConsentRegister, "grantMany" | "find">;
  readonly advertisers: Advertisers;
  readonly nowMs: number;
  /** Looks up what would happen, and writes nothing. */
  readonly dryRun: boolean;
  readonly onRefused: (line: number, reason: string) => void;
  /** After each batch: what has been done by now, whatever happens next. */
  readonly onProgress: (totals: Readonly<ImportTotals>) => void;
  /** Asked between two batches; what is written by then stays. */
  readonly stopped: () => boolean;
}

export interface ImportTotals {
  /** Lines below the header. */
  lines: number;
  recorded: number;
  /** Recorded before, or overtaken by a later yes. */
  known: number;
  /** Left as they are: the recipient has refused since. */
  refusalsKept: number;
  linesRefused: number;
}

export interface ImportSummary extends Readonly<ImportTotals> {
  /** Of the whole file, hex: ties the ledger's entry to it. Absent when it was not read to its end. */
  readonly sha256?: string;
}

/** @throws Misuse for a file without a usable header line */
export async function importConsents(chunks: AsyncIterable<Buffer>, parts: ImportParts): Promise<ImportSummary> {
  const hash = createHash("sha256");
  const totals: ImportTotals = { lines: 0, recorded: 0, known: 0, refusalsKept: 0, linesRefused: 0 };
  const write = async (batch: readonly Consent[]): Promise<void> => {
    const counts = await (parts.dryRun ? foretell(parts.consents, batch) : parts.consents.grantMany(batch));
    totals.recorded += counts.recorded;
    totals.known += counts.known;
    totals.refusalsKept += counts.refused;
  };
  let columns: ReturnType<typeof readHeader> | undefined;
  let batch: Consent[] = [];
  for await (const record of readCsv(hashed(chunks, hash))) {
    if (!columns) {
      columns = headerOf(record);
      continue;
    }
    totals.lines += 1;
    const result = consentOf(record, columns, parts);
    if ("problem" in result) {
      totals.linesRefused += 1;
      parts.onRefused(record.line, result.problem);
    } else {
      batch.push(result.consent);
    }
    if (batch.length < BATCH_LINES) continue;
    await write(batch);
    batch = [];
    parts.onProgress(totals);
    if (parts.stopped()) return totals;
  }
  if (!columns) throw new Misuse("the file is empty: the first line names the columns");
  await write(batch);
  return { ...totals, sha256: hash.digest("hex") };
}

async function* hashed(
  chunks: AsyncIterable<Buffer>,
  hash: { update(chunk: Buffer): unknown },
): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    hash.update(chunk);
    yield chunk;
  }
}

function headerOf(record: CsvRecord): ReturnType<typeof readHeader> {
  if ("problem" in record) throw new Misuse(`line ${record.line}: ${record.problem}`);
  return readHeader(record.fields);
}

function consentOf(
  record: CsvRecord,
  columns: ReturnType<typeof readHeader>,
  ground: Pick<ImportParts, "advertisers" | "nowMs">,
): { consent: Consent } | { problem: string } {
  if ("problem" in record) return { problem: record.problem };
  try {
    return { consent: readLine(columns, record.fields, ground) };
  } catch (error) {
    if (error instanceof FieldProblem) return { problem: error.message };
    throw error;
  }
}

/** What grantMany would do, as things stand. */
async function foretell(consents: Pick<ConsentRegister, "find">, batch: readonly Consent[]): Promise<GrantCounts> {
  const counts = { recorded: 0, known: 0, refused: 0 };
  for (const [advertiser, group] of Map.groupBy(batch, (consent) => consent.advertiser)) {
    const found = await consents.find(
      advertiser,
      group.map(({ recipient }) => recipient),
    );
    group.forEach((consent, index) => {
      counts[granting(found[index], consent)] += 1;
    });
  }
  return counts;
}
