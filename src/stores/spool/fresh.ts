/**
 * Mails that are tried as soon as they have come. Most mails are delivered by that one attempt, and then cost two steps, in and out: no index
 * row, no lease. Until the out they stay `arriving` in the name of who took them in, and a crash leaves what it leaves of those.
 */
import type { Lease } from "../../delivery/queue/spool.ts";
import { leaseOf, type Taker } from "./leasing.ts";
import {
  clientTurn,
  freshRows,
  idKey,
  leaseKey,
  type Row,
  readDestination,
  readRow,
  type Tables,
  timeKey,
} from "./rows.ts";

/** Those of these mails that may be tried now. */
export function takeFresh(dbs: Tables, ids: readonly string[], nowMs: number): Lease[] {
  // Another process has just put them in: what was read a moment ago may be older.
  dbs.mails.resetReadTxn();
  const open = new Map<string, boolean>();
  const isOpen = (turn: string): boolean => {
    const known = open.get(turn) ?? isFree(dbs, turn);
    open.set(turn, known);
    return known;
  };
  return ids.flatMap((id) => {
    const row = readRow(dbs, id);
    const turn = row && oneTurn(row);
    if (!row || turn === undefined || !dbs.arriving.doesExist(idKey(id))) return [];
    const { clientId } = row.session;
    if (!isOpen(turn) || (clientId !== undefined && !isOpen(clientTurn(clientId)))) return [];
    const lease = { ...leaseOf(id, row, { turn, nowMs }), isFresh: true as const };
    freshRows.set(lease.mail, row);
    return [lease];
  });
}

/** The destination of them all. */
function oneTurn({ destinations, hold }: Row): string | undefined {
  const [first, ...others] = destinations;
  return hold || others.some((each) => each !== first) ? undefined : first;
}

/** Nothing is known against it. */
function isFree(dbs: Tables, turn: string): boolean {
  const { suspended, backoff } = readDestination(dbs, turn);
  return !suspended && !backoff;
}

/** It takes its time: from now on it is leased like others. */
export function keepFresh({ dbs, owner }: Taker, { mail: { id }, turn }: Lease): void {
  const row = dbs.arriving.doesExist(idKey(id)) && readRow(dbs, id);
  if (!row) return;
  void dbs.arriving.remove(idKey(id));
  void dbs.leases.put(leaseKey(id, turn), owner);
  void dbs.late.put(timeKey(row.lateAt, id), "");
}
