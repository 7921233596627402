/**
 * Opens one LMDB environment: a directory with a data and a lock file, shared by the processes of one machine.
 *
 * Commits are LMDB's own, one after the other (`overlappingSync` off): data pages are written and fdatasync'ed, then the
 * meta page is written through an O_DSYNC descriptor, and only then is the commit visible to anybody and does the promise
 * of a write resolve. With `overlappingSync`, lmdb-js's default, readers see what is not on disk yet, and a failed flush
 * leaves it visible.
 */
import { chmodSync, mkdirSync } from "node:fs";
import { getSystemErrorMessage } from "node:util";
import { type Database, open, type RootDatabase } from "lmdb";
import { type Dependency, Misuse, Unavailable } from "../../kit/trouble.ts";
import { precheck } from "./precheck.ts";

/** Keys are bytes, see keys.ts; values are text, mostly JSON. */
export type Rows = Database<string, Buffer>;
export type Dbs<Name extends string> = Readonly<Record<Name, Rows>>;

/** One of a place's `binary` databases, as what it is. */
export const bytesOf = (rows: Rows): Database<Buffer, Buffer> => rows as unknown as Database<Buffer, Buffer>;

export interface Place<Name extends string> {
  /** Made when absent, for the owner's eyes only. */
  readonly dir: string;
  /** The databases inside. */
  readonly names: readonly Name[];
  /** Who is to blame in `Unavailable`. */
  readonly dependency: Dependency;
  /** Those whose values are bytes; `bytesOf` reads and writes them. */
  readonly binary?: readonly Name[];
}

export interface Handle<Name extends string> {
  readonly root: RootDatabase<string, Buffer>;
  readonly dbs: Dbs<Name>;
}

const READERS_MAX = 512;
const FILE_MODE = 0o600;
const DIRECTORY_MODE = 0o700;
const OURS_TO_MEND = new Set(["EACCES", "EPERM", "EROFS", "ENOTDIR", "EEXIST", "ENAMETOOLONG"]);

/** `code` is errno, above 0, or one of LMDB's own, below 0. */
export interface LmdbError extends Error {
  readonly code: number;
}

export const isLmdbError = (error: unknown): error is LmdbError =>
  error instanceof Error && typeof (error as Partial<LmdbError>).code === "number";

/** In one line, without lmdb-js's details about pages. */
export function reasonText(error: unknown): string {
  if (isLmdbError(error) && error.code > 0) return getSystemErrorMessage(-error.code);
  return error instanceof Error ? error.message : String(error);
}

/** @throws Misuse when the directory cannot be ours, Unavailable when the disk fails */
export function openHandle<Name extends string>({ dir, names, dependency, binary = [] }: Place<Name>): Handle<Name> {
  try {
    mkdirSync(dir, { recursive: true, mode: DIRECTORY_MODE });
    chmodSync(dir, DIRECTORY_MODE);
    precheck(dir);
    const form = { encoding: "string", keyEncoding: "binary" } as const;
    const options = {
      ...form,
      noSubdir: false,
      overlappingSync: false,
      maxDbs: names.length,
      maxReaders: READERS_MAX,
      permissionsMode: FILE_MODE,
    };
    const root = open<string, Buffer>(dir, options);
    try {
      const encodingOf = (name: Name) => (binary.includes(name) ? "binary" : "string");
      const openOne = (name: Name) => root.openDB<string, Buffer>({ ...form, encoding: encodingOf(name), name });
      const dbs = Object.fromEntries(names.map((name) => [name, openOne(name)]));
      return { root, dbs: dbs as Dbs<Name> };
    } catch (error) {
      void root.close();
      throw error;
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (typeof code === "string" && OURS_TO_MEND.has(code)) throw new Misuse(`cannot use ${dir}: ${message}`);
    throw new Unavailable(dependency, `cannot open ${dir}: ${reasonText(error)}`, error);
  }
}
