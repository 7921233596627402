import type { Dbs } from "./open.ts";

/** Rows looked at in one go, at least: to begin costs more than to go on. */
const ROWS_MIN = 16;

/** How many rows are looked at for each that may have been added: more where some were over, fewer where none was. */
const PACE_MIN = 1;
const PACE_MAX = 4;
const PACE_FIRST = 4;
const PACE_SLOWER = 0.75;

/** Rows here are lists whose first number is when they expire; parseInt stops where it ends. */
export const isOver = (row: string, nowMs: number): boolean => Number.parseInt(row.slice(1), 10) <= nowMs;

/**
 * Walks round the rows of a database, a few at a time, inside transactions that write anyway; so what expired does
 * not pile up, and no timer is needed. Where nothing expires it slows down.
 *
 * @param drop is shown each row, removes it when its time is over, and says whether it did
 */
export function createSweep<Name extends string>(
  name: Name,
  drop: (dbs: Dbs<Name>, key: Buffer, value: string) => boolean,
): (dbs: Dbs<Name>, added?: number) => void {
  let position: Buffer | undefined;
  let pace = PACE_FIRST;
  let owed = 0;
  return (dbs, added = 1) => {
    owed += added * pace;
    if (owed < ROWS_MIN) return;
    const rows = Math.floor(owed);
    owed -= rows;
    const range = position ? { start: position, exclusiveStart: true } : {};
    const looked = [...dbs[name].getRange({ ...range, limit: rows })];
    let dropped = 0;
    for (const { key, value } of looked) if (drop(dbs, Buffer.from(key), value)) dropped += 1;
    pace = Math.min(PACE_MAX, Math.max(PACE_MIN, dropped > 0 ? pace * 2 : pace * PACE_SLOWER));
    const last = looked.at(-1);
    position = last && looked.length === rows ? Buffer.from(last.key) : undefined;
  };
}
