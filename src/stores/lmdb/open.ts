/**
 * Opens one LMDB environment: a directory with a data and a lock file, shared by the processes of one machine.
 *
 * Commits are LMDB's own, one after the other (`overlappingSync` off): data pages are written and fdatasync'ed, then the
 * meta page is written through an O_DSYNC descriptor, and only then is the commit visible to anybody and does the promise
 * of a write resolve. With `overlappingSync`, lmdb-js's default, readers see what is not on disk yet, and a failed flush
 * leaves it visible.
 */
import { chmodSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
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
  close(): Promise<void>;
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

interface Shared {
  readonly root: RootDatabase<string, Buffer>;
  readonly dbs: Dbs<string>;
  users: number;
}

/**
 * What this process has open, by file: LMDB's lock is the process's. Opened a second time beside a commit that waits for the event
 * loop, an environment would wait for that lock in the event loop: for ever.
 */
const opened = new Map<string, Shared>();

/** @throws Misuse when the directory cannot be ours, Unavailable when the disk fails */
export function openHandle<Name extends string>(place: Place<Name>): Handle<Name> {
  const { dir, dependency } = place;
  try {
    mkdirSync(dir, { recursive: true, mode: DIRECTORY_MODE });
    chmodSync(dir, DIRECTORY_MODE);
    precheck(dir);
    const shared = opened.get(fileIn(dir)) ?? openAfresh(place);
    shared.users += 1;
    const close = async (): Promise<void> => {
      shared.users -= 1;
      if (shared.users > 0) return;
      for (const [file, each] of opened) if (each === shared) opened.delete(file);
      await shared.root.close();
    };
    return { root: shared.root, dbs: shared.dbs as Dbs<Name>, close };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (typeof code === "string" && OURS_TO_MEND.has(code)) throw new Misuse(`cannot use ${dir}: ${message}`);
    throw new Unavailable(dependency, `cannot open ${dir}: ${reasonText(error)}`, error);
  }
}

/** Which file it is, however its directory is called; empty: there is none yet. */
function fileIn(dir: string): string {
  const stat = statSync(join(dir, "data.mdb"), { throwIfNoEntry: false });
  return stat ? `${stat.dev} ${stat.ino}` : "";
}

function openAfresh<Name extends string>({ dir, names, binary = [] }: Place<Name>): Shared {
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
    const dbs = Object.fromEntries(names.map((name) => [name, openOne(name)])) as Dbs<string>;
    const shared = { root, dbs, users: 0 };
    opened.set(fileIn(dir), shared);
    return shared;
  } catch (error) {
    void root.close();
    throw error;
  }
}
