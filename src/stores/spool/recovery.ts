/** What is put in order when owners are gone: their leases end, and what was arriving arrives or is forgotten. */
import type { Environment } from "../lmdb/environment.ts";
import type { Contents } from "./contents.ts";
import { endOrphans, forgetOwners, goneBy } from "./leasing.ts";
import { goesOn, type Moment } from "./owners.ts";
import { idKey, idOf, type Name, readRow } from "./rows.ts";
import { begin, remove } from "./settling.ts";

/**
 * Which of these mails the ledger says were received or held: those were, or were about to be, answered with 250.
 * @param sinceMs none of them is older
 */
export type WereEntered = (ids: ReadonlySet<string>, sinceMs: number) => Promise<ReadonlySet<string>>;

export interface Recovered {
  /** Leases that ended with their owner. */
  readonly leases: number;
  /** Mails that were on their way in and are in the queue now. */
  readonly arrived: number;
  /** Mails on their way in that nobody had promised anything of. */
  readonly forgotten: number;
}

export interface RecoveryParts {
  readonly environment: Environment<Name>;
  readonly contents: Pick<Contents, "removeFile">;
  readonly wereEntered: WereEntered;
}

export async function recover({ environment, contents, wereEntered }: RecoveryParts, at: Moment): Promise<Recovered> {
  const arriving = await environment.read((dbs) => {
    const isGone = goneBy(dbs, at, goesOn);
    return [...dbs.arriving.getRange()].flatMap(({ key, value }) => {
      const id = idOf(key);
      return isGone(value) ? [{ id, arrivedAt: readRow(dbs, id)?.arrivedAt ?? at.nowMs }] : [];
    });
  });
  const sinceMs = Math.min(...arriving.map(({ arrivedAt }) => arrivedAt));
  const ids = new Set(arriving.map(({ id }) => id));
  const entered = ids.size === 0 ? ids : await wereEntered(ids, sinceMs);
  const { leases, files } = await environment.write((dbs) => {
    const ended = endOrphans(dbs, at);
    const files: string[] = [];
    for (const id of ids) {
      const row = readRow(dbs, id);
      if (!dbs.arriving.doesExist(idKey(id))) continue;
      void dbs.arriving.remove(idKey(id));
      if (row && entered.has(id)) begin(dbs, id, row);
      else if (row && remove(dbs, id, row)) files.push(id);
    }
    forgetOwners(dbs, at);
    return { leases: ended, files };
  });
  for (const id of files) await contents.removeFile(id);
  return { leases, arrived: entered.size, forgotten: ids.size - entered.size };
}
