/** Keeps `due`, `turns` and `late` in step with the mails; everything here runs inside a transaction. */
import {
  clientTurn,
  type DestinationRow,
  dueEnd,
  dueKey,
  duePrefix,
  leaseKey,
  type Row,
  readDestination,
  readTimed,
  type Tables,
  timeKey,
  writeDestination,
} from "./rows.ts";

/** A mail waits for a destination from now on. */
export function addDue(dbs: Tables, destination: string, { at, id }: { at: number; id: string }): void {
  void dbs.due.put(dueKey(destination, at, id), "");
  const row = readDestination(dbs, destination);
  const fromMs = Math.max(Math.floor(at), row.backoff?.untilMs ?? 0);
  if (!row.suspended && (row.turnAt === undefined || row.turnAt > fromMs)) setTurn(dbs, destination, row, fromMs);
}

/** @param at undefined: it has no turn */
function setTurn(dbs: Tables, destination: string, row: DestinationRow, at: number | undefined): void {
  const { turnAt, ...rest } = row;
  const next = at === undefined ? undefined : Math.floor(at);
  if (turnAt !== next && turnAt !== undefined) void dbs.turns.remove(timeKey(turnAt, destination));
  if (turnAt !== next && next !== undefined) void dbs.turns.put(timeKey(next, destination), "");
  writeDestination(dbs, destination, next === undefined ? rest : { ...rest, turnAt: next });
}

/** Sets a destination's turn by its first mail. @param notBefore ms since 1970 */
export function retime(dbs: Tables, destination: string, row: DestinationRow, notBefore = 0): void {
  const prefix = duePrefix(destination);
  const [first] = row.suspended
    ? []
    : dbs.due.getKeys({ start: prefix, end: dueEnd(destination, Number.MAX_SAFE_INTEGER), limit: 1 });
  if (!first) return setTurn(dbs, destination, row, undefined);
  const { at } = readTimed(first, prefix.length);
  setTurn(dbs, destination, row, Math.max(at, notBefore, row.backoff?.untilMs ?? 0));
}

/** When a mail is due for a destination; undefined: nobody waits there. */
export function dueAt({ recipients, destinations }: Row, destination: string): number | undefined {
  let at: number | undefined;
  for (const [place, { state, nextAt }] of recipients.entries()) {
    if (state !== "waiting" || destinations[place] !== destination) continue;
    if (at === undefined || nextAt < at) at = nextAt;
  }
  return at;
}

/** Lets a mail wait for its turn wherever it is not being tried. */
export function schedule(dbs: Tables, id: string, row: Row, destinations: Iterable<string> = row.destinations): void {
  if (row.hold || dbs.leases.doesExist(leaseKey(id, ""))) return;
  for (const destination of new Set(destinations)) {
    const at = dueAt(row, destination);
    if (at !== undefined && !dbs.leases.doesExist(leaseKey(id, destination))) addDue(dbs, destination, { at, id });
  }
}

/** Takes a mail's rows out of the index; a destination's turn may then come for nothing, once. */
export function unschedule(dbs: Tables, id: string, row: Row): void {
  for (const destination of new Set(row.destinations)) {
    const at = dueAt(row, destination);
    if (at === undefined) continue;
    void dbs.due.remove(dueKey(destination, at, id));
    if (row.session.clientId !== undefined) void dbs.due.remove(dueKey(clientTurn(row.session.clientId), at, id));
  }
}

/** When the mail is looked at though nothing is due. */
export function setLate(dbs: Tables, id: string, row: Row, at: number): void {
  if (row.lateAt !== at) void dbs.late.remove(timeKey(row.lateAt, id));
  row.lateAt = at;
  void dbs.late.put(timeKey(at, id), "");
}
