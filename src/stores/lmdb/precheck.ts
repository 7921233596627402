/**
 * What is looked at before LMDB opens a directory. Where it cannot make or read its files lmdb-js does not fail, it takes the
 * process with it (SIGSEGV, or SIGBUS on a full disk); so that is found out here, where it is an error like any other.
 */
import { closeSync, existsSync, fstatSync, linkSync, openSync, readSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const FILE_MODE = 0o600;
/** Room for more readers than LMDB is told to take, 64 bytes each, and for the locks. */
const LOCK_BYTES = 36_864;
/** What an environment needs before anything is put into it, rounded up. */
const BEGINNING_BYTES = 65_536;

/** Where LMDB's file format keeps things in each of the first two pages, little-endian. */
const MAGIC_AT = 24;
const FORMAT_AT = 28;
const PAGE_BYTES_AT = 48;
const HEADER_BYTES = 64;
const MAGIC = 0xbeefc0de;
const FORMAT = 2;

/** The lock file with all its blocks: LMDB would make it with holes and fill those through memory, where a full disk is SIGBUS. */
function reserveLocks(dir: string): void {
  const file = join(dir, "lock.mdb");
  if (existsSync(file)) return;
  const made = `${file}.${process.pid}`;
  try {
    writeFileSync(made, Buffer.alloc(LOCK_BYTES), { mode: FILE_MODE });
    linkSync(made, file);
  } catch (error) {
    // Another process was first.
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    rmSync(made, { force: true });
  }
}

function checkSpace(dir: string): void {
  const probe = join(dir, `space.${process.pid}`);
  try {
    writeFileSync(probe, Buffer.alloc(BEGINNING_BYTES), { mode: FILE_MODE });
  } finally {
    rmSync(probe, { force: true });
  }
}

function headerAt(file: number, position: number): Buffer | undefined {
  const header = Buffer.alloc(HEADER_BYTES);
  if (readSync(file, header, 0, HEADER_BYTES, position) < HEADER_BYTES) return undefined;
  return header.readUInt32LE(MAGIC_AT) === MAGIC && header.readUInt32LE(FORMAT_AT) === FORMAT ? header : undefined;
}

/** @returns whether there is something in it */
function checkData(path: string): boolean {
  if (!existsSync(path)) return false;
  const file = openSync(path, "r+");
  try {
    if (fstatSync(file).size === 0) return false;
    const first = headerAt(file, 0);
    if (!first || !headerAt(file, first.readUInt32LE(PAGE_BYTES_AT))) {
      throw new Error(`${path} is damaged, or no LMDB file; move it away, or bring it back from a backup`);
    }
    return true;
  } finally {
    closeSync(file);
  }
}

/** @throws Error when the directory's files cannot be used, or made */
export function precheck(dir: string): void {
  reserveLocks(dir);
  if (!checkData(join(dir, "data.mdb"))) checkSpace(dir);
}
