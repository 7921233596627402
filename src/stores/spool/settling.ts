/** What became of mails, put into their rows; everything here runs inside a transaction. */
import type { QueuedRecipient } from "../../delivery/queue/queued.ts";
import type { Change, NewMail, Settlement } from "../../delivery/queue/spool.ts";
import { putBody } from "./bodies.ts";
import {
  freshRows,
  idKey,
  isClientTurn,
  leaseKey,
  type Row,
  readRow,
  rowOf,
  type Tables,
  timeKey,
  writeRow,
} from "./rows.ts";
import { schedule, setLate, unschedule } from "./turns.ts";

/** Puts a mail in, to be tried; its content is what `body` says, or a file. */
export function insert(dbs: Tables, mail: NewMail, body: readonly Buffer[] | undefined): void {
  store(dbs, mail, body);
  begin(dbs, mail.id, rowOf(mail));
}

/** Puts a mail in without letting it be found. */
export function store(dbs: Tables, mail: NewMail, body: readonly Buffer[] | undefined): void {
  const row = rowOf(mail);
  writeRow(dbs, mail.id, body ? row : { ...row, isFile: true });
  if (body) putBody(dbs, mail.id, body);
}

/** What arrived is to be tried. @returns false: it was not arriving */
export function confirm(dbs: Tables, id: string): boolean {
  if (!dbs.arriving.doesExist(idKey(id))) return false;
  void dbs.arriving.remove(idKey(id));
  const row = readRow(dbs, id);
  if (row) begin(dbs, id, row);
  return true;
}

/** Its turn may come from now on. */
export function begin(dbs: Tables, id: string, row: Row): void {
  void dbs.late.put(timeKey(row.lateAt, id), "");
  schedule(dbs, id, row);
}

/** @returns whether a file is to be removed, once this is on disk */
export function remove(dbs: Tables, id: string, row: Row): boolean {
  unschedule(dbs, id, row);
  void dbs.late.remove(timeKey(row.lateAt, id));
  return removeRows(dbs, id, row);
}

/** The same of a mail that is in no index. */
function removeRows(dbs: Tables, id: string, row: Row): boolean {
  void dbs.mails.remove(idKey(id));
  if (row.isFile) return true;
  void dbs.bodies.remove(idKey(id));
  return false;
}

/** @returns whether the content's file is to be removed */
export function settle(dbs: Tables, { lease, changes, reports, ...more }: Settlement): boolean {
  const { mail, turn } = lease;
  const isFresh = lease.isFresh === true && dbs.arriving.doesExist(idKey(mail.id));
  if (isFresh) void dbs.arriving.remove(idKey(mail.id));
  else void dbs.leases.remove(leaseKey(mail.id, turn));
  for (const report of reports) insert(dbs, report.mail, [report.own.text]);
  const row = (isFresh && freshRows.get(mail)) || readRow(dbs, mail.id);
  if (!row) return false;
  const touched = apply(row, changes);
  if (isDone(row)) return isFresh ? removeRows(dbs, mail.id, row) : remove(dbs, mail.id, row);
  if (isFresh) void dbs.late.put(timeKey(row.lateAt, mail.id), "");
  if (more.isDelayTold) row.delayTold = true;
  const free: Row = more.endsHold ? withoutHold(row) : row;
  if (more.lateAt !== undefined) setLate(dbs, mail.id, free, more.lateAt);
  writeRow(dbs, mail.id, free);
  schedule(dbs, mail.id, free, turn === "" || isClientTurn(turn) ? free.destinations : [turn, ...touched]);
  return false;
}

export function withoutHold({ hold: _, ...row }: Row): Row {
  return row;
}

/** @returns the destinations that recipients wait for now */
function apply(row: Row, changes: Settlement["changes"]): string[] {
  const recipients = [...row.recipients];
  const destinations = [...row.destinations];
  const told = new Set(row.told);
  const touched: string[] = [];
  for (const [place, change] of changes) {
    const now = recipients[place];
    if (!now || !mayBecome(now, change)) continue;
    recipients[place] = change.recipient;
    destinations[place] = change.destination;
    touched.push(change.destination);
    if (change.isTold) told.add(place);
  }
  Object.assign(row, { recipients, destinations, told: [...told] });
  return touched;
}

/** What an operator dropped while it was being tried stays dropped, unless the next hop has it. */
const mayBecome = (now: QueuedRecipient, { recipient }: Change): boolean =>
  now.state !== "dropped" || recipient.state === "delivered";

/** Nobody waits, and everybody knows who is to know. */
export const isDone = ({ recipients, told }: Row): boolean =>
  recipients.every(({ state }, place) => state !== "waiting" && (isSilent(state) || told.includes(place)));

/** Ends of which the sender is told only when he asked. */
const isSilent = (state: QueuedRecipient["state"]): boolean => state === "delivered" || state === "dropped";
