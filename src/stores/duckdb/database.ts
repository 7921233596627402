/**
 * DuckDB, in memory and in bounds: it never asks the network for anything, takes no more memory than it is told and puts what does
 * not fit into a private directory.
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { DuckDBConnection, DuckDBInstance, DuckDBValue } from "@duckdb/node-api";
import { type Cipher, createCipher, isEncryptedParquet, keyMissing } from "./cipher.ts";
import { ID_MACROS } from "./short-id.ts";

export interface DatabaseOptions {
  /** A directory for what does not fit into memory; emptied at the end. */
  readonly tempDir: string;
  /** Most memory it takes, MB. */
  readonly memoryMb: number;
  readonly threads?: number;
  /** 32 bytes; with them the archive is encrypted. */
  readonly archiveKey?: Uint8Array;
}

export type Row = readonly unknown[];

export interface Database {
  /** A private directory that is removed at the end. */
  readonly dir: string;
  readonly cipher: Cipher | undefined;
  readonly threads: number;
  /** SQL that reads Parquet files of the archive, encrypted or not, as one table. @throws Unavailable when a key is missing */
  from(files: readonly string[]): Promise<string>;
  run(sql: string, values?: readonly DuckDBValue[]): Promise<void>;
  /** All rows of a result that is known to be small. */
  rows(sql: string, values?: readonly DuckDBValue[]): Promise<Row[]>;
  /** Rows as they come, some at a time. @throws Error when they end too early, or cannot be read */
  stream(sql: string, values?: readonly DuckDBValue[]): AsyncGenerator<Row[]>;
  /** Sorts so many rows, or makes a file of them: many on one thread, as each keeps some in hand, and one needs no more memory for more. */
  sorting<T>(rows: number, sort: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** With so many whole entries four threads are still far from `memoryMb` of 256. */
const MANY_ROWS = 100_000;
const THREADS_MAX = 4;
const DIRECTORY_MODE = 0o700;
/** How private directories are named: the process behind it. */
const DIRECTORY = "duckdb-";
/** A process in another container is not to be seen: what was used lately stays. */
const LEFT_MS = 3_600_000;

/** Text as SQL writes it. */
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** Several, as a list. */
export const literals = (texts: readonly string[]): string => `[${texts.map(literal).join(", ")}]`;

export async function openDatabase({ tempDir, memoryMb, threads, archiveKey }: DatabaseOptions): Promise<Database> {
  const { DuckDBInstance } = await import("@duckdb/node-api");
  mkdirSync(tempDir, { recursive: true, mode: DIRECTORY_MODE });
  removeLeft(tempDir);
  const dir = mkdtempSync(join(tempDir, `${DIRECTORY}${process.pid}-`));
  const used = threads ?? Math.min(THREADS_MAX, availableParallelism());
  const instance = await DuckDBInstance.create(":memory:", {
    memory_limit: `${memoryMb}MB`,
    threads: String(used),
    temp_directory: dir,
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
    allow_community_extensions: "false",
  });
  const connection = await instance.connect();
  for (const macro of ID_MACROS) await connection.run(macro);
  await connection.run(`SET parquet_metadata_cache = ${archiveKey === undefined}`);
  return { ...wrap(instance, connection, { dir, threads: used }), ...(await parquetAccess(connection, archiveKey)) };
}

/** What a process that was killed left behind. */
function removeLeft(tempDir: string): void {
  for (const name of readdirSync(tempDir)) {
    if (!name.startsWith(DIRECTORY)) continue;
    const path = join(tempDir, name);
    const idleMs = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (idleMs > LEFT_MS && !isRunning(Number.parseInt(name.slice(DIRECTORY.length), 10))) {
      rmSync(path, { recursive: true, force: true });
    }
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** How Parquet files are read. DuckDB only decrypts: what we write is encrypted by OpenSSL, with nonces of its random numbers (cipher.ts). */
async function parquetAccess(
  connection: DuckDBConnection,
  archiveKey: Uint8Array | undefined,
): Promise<Pick<Database, "cipher" | "from">> {
  const cipher = archiveKey && createCipher(archiveKey);
  const known = new Set<string>();
  const keyName = async (path: string): Promise<string> => {
    if (!cipher) throw keyMissing(path);
    const { name, base64 } = cipher.parquetKey(path);
    if (!known.has(name)) await connection.run(`PRAGMA add_parquet_key(${literal(name)}, ${literal(base64)})`);
    known.add(name);
    return `footer_key: ${literal(name)}`;
  };
  return {
    cipher,
    async from(files) {
      const groups = new Map<string, string[]>();
      for (const file of files) {
        const key = isEncryptedParquet(file) ? await keyName(file) : "";
        groups.set(key, [...(groups.get(key) ?? []), file]);
      }
      return unionOf([...groups].map(([key, some]) => readSql(some, key)));
    },
  };
}

/** What an encrypted file's reader is given again lacks the key (DuckDB 1.5.6): neither its union by name nor its cache of metadata can be used. */
const readSql = (files: readonly string[], key: string): string =>
  `read_parquet(${literals(files)}, hive_partitioning = false, ${key === "" ? "union_by_name = true" : `encryption_config = {${key}}`})`;

const unionOf = (reads: readonly string[]): string =>
  reads.length === 1
    ? (reads[0] ?? "")
    : `(${reads.map((read) => `SELECT * FROM ${read}`).join(" UNION ALL BY NAME ")})`;

function wrap(
  instance: DuckDBInstance,
  connection: DuckDBConnection,
  { dir, threads }: Pick<Database, "dir" | "threads">,
): Omit<Database, "cipher" | "from"> {
  let large = 0;
  const turn = async (step: 1 | -1): Promise<void> => {
    large += step;
    await connection.run(`SET threads = ${large > 0 ? 1 : threads}`);
  };
  const sorting: Database["sorting"] = async (rows, sort) => {
    if (rows <= MANY_ROWS) return sort();
    await turn(1);
    return sort().finally(() => turn(-1));
  };
  return {
    dir,
    threads,
    sorting,
    async run(sql, values = []) {
      await connection.run(sql, [...values]);
    },
    async rows(sql, values = []) {
      return (await connection.runAndReadAll(sql, [...values])).getRowsJS();
    },
    async *stream(sql, values = []) {
      // One connection holds one open result: a reader that is slow must not be in the way of the next question.
      const own = await instance.connect();
      let counted = 0;
      try {
        // What fails on the way ends as if there were no more (@duckdb/node-api 1.5): only who knows how many there are can tell.
        const [[count] = []] = (await own.runAndReadAll(countSql(sql), [...values])).getRowsJS();
        counted = Number(count);
        if (counted > MANY_ROWS) await turn(1);
        let left = counted;
        for await (const rows of (await own.stream(sql, [...values])).yieldRowsJs()) {
          left -= rows.length;
          yield rows;
        }
        if (left !== 0)
          throw new Error(`DuckDB stopped ${left} rows before the end: is there memory and room for what it sorts?`);
      } finally {
        own.closeSync();
        if (counted > MANY_ROWS) await turn(-1);
      }
    },
    async close() {
      connection.closeSync();
      instance.closeSync();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Of a question's rows: reads no columns but those that its conditions need, and sorts nothing. */
export const countSql = (sql: string): string => `SELECT count(*)::DOUBLE FROM (${sql})`;
