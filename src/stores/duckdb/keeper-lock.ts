/**
 * Only one process puts the archive of a node in order. DuckDB locks a file that it has open for writing, and the system takes the lock
 * back from a process that ended, however it ended: so a small database of its own is the lock.
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { Unavailable } from "../../kit/trouble.ts";
import { type Database, type DatabaseOptions, literal, openDatabase } from "./database.ts";

const FILE = "keeper.lock";
const HELD = /lock on file|unique file handle/i;

/** @throws Unavailable("ledger") when another process has it */
export async function openLocked(options: DatabaseOptions): Promise<Database> {
  const database = await openDatabase(options);
  try {
    await lock(database, join(options.tempDir, FILE));
    return database;
  } catch (error) {
    await database.close();
    throw error;
  }
}

async function lock(database: Database, path: string): Promise<void> {
  const attach = (): Promise<void> => database.run(`ATTACH ${literal(path)} AS keeper`);
  try {
    await attach();
  } catch (error) {
    if (HELD.test((error as Error).message)) {
      throw new Unavailable("ledger", "another process is putting the ledger in order", error);
    }
    // A crash while it was made left something that is no database: nothing is lost with it.
    rmSync(path, { force: true });
    await attach();
  }
}
