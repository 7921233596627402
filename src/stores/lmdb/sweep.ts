import type { Dbs } from "./open.ts";

const LOOKED_AT = 4;

/**
 * Walks round the rows of a database, a few at a time, inside transactions that write anyway; so what expired does
 * not pile up, and no timer is needed.
 *
 * @param drop is shown each row and removes it when its time is over
 */
export function createSweep<Name extends string>(
  name: Name,
  drop: (dbs: Dbs<Name>, key: Buffer, value: string) => void,
): (dbs: Dbs<Name>, rows?: number) => void {
  let position: Buffer | undefined;
  return (dbs, rows = LOOKED_AT) => {
    const range = position ? { start: position, exclusiveStart: true } : {};
    const looked = [...dbs[name].getRange({ ...range, limit: rows })];
    for (const { key, value } of looked) drop(dbs, Buffer.from(key), value);
    const last = looked.at(-1);
    position = last && looked.length === rows ? Buffer.from(last.key) : undefined;
  };
}
