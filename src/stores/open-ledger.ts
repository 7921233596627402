/** Where the parts of the ledger lie, by the configuration, for the relay and for commands. */
import { appendFile, mkdir, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { readArchiveKey } from "../config/archive-key.ts";
import { readNodeName } from "../config/node-name.ts";
import type { Config } from "../config/schema.ts";
import { readSealKey } from "../config/seal-key.ts";
import type { Archive } from "../ledger/archive.ts";
import type { Journal } from "../ledger/journal.ts";
import type { LedgerReader } from "../ledger/query.ts";

export interface LedgerPlace {
  readonly journalDir: string;
  /** Directory of the archive. */
  readonly root: string;
  /** Name of this node in it. */
  readonly node: string;
  /** Where and how DuckDB may work. */
  readonly work: { readonly tempDir: string; readonly memoryMb: number; readonly archiveKey?: Uint8Array };
}

/** @throws Misuse when this node's name or the archive's key cannot be read */
export function ledgerPlace(config: Pick<Config, "dataDir" | "ledger">): LedgerPlace {
  const { dataDir, ledger } = config;
  const journalDir = join(dataDir, "ledger");
  const archiveKey = readArchiveKey(config);
  return {
    journalDir,
    root: ledger.archiveDir ?? journalDir,
    node: readNodeName(config),
    work: { tempDir: join(dataDir, "work"), memoryMb: ledger.memoryMb, ...(archiveKey && { archiveKey }) },
  };
}

/** The archive of this node, to be written beside the relay. @throws Misuse when the seal key cannot be read */
export async function openNodeArchive(
  place: LedgerPlace,
  config: Pick<Config, "dataDir" | "ledger">,
): Promise<Archive> {
  const { root, node, work, journalDir } = place;
  const { openArchiveProcess } = await import("./duckdb/archive-process.ts");
  return openArchiveProcess({ root, node, journalDir, ...work, keyPem: readSealKey(config) });
}

/** Adds a line to a file, made when it is not there; on disk when it resolves. */
export async function addLine(path: string, line: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await appendFile(path, `${line}\n`, { mode: 0o600 });
  const handle = await open(path, "r");
  await handle.sync().finally(() => handle.close());
}

/** Opens a reader over everything. @throws Misuse */
export async function openLedgerReader({ root, work }: LedgerPlace, journal: Journal): Promise<LedgerReader> {
  const { openReader } = await import("./duckdb/reader.ts");
  return openReader({ root, journal, ...work });
}
