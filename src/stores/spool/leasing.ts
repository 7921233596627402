/** Taking mails whose turn has come. A lease takes the place of the mail's row in `due`, so that nobody else finds it. */
import type { Ask, Lease } from "../../delivery/queue/spool.ts";
import { goesOn, isAlive, type Moment, readOwner } from "./owners.ts";
import {
  clientTurn,
  dueEnd,
  dueKey,
  duePrefix,
  idOf,
  isClientTurn,
  leaseKey,
  mailOf,
  type Row,
  readDestination,
  readRow,
  readTimed,
  type Tables,
  timeKey,
} from "./rows.ts";
import { confirm, isDone, remove } from "./settling.ts";
import { addDue, dueAt, retime, schedule, setLate } from "./turns.ts";

/** Turns looked at in one step: those that are full already stand in front, and there are no more of them than deliveries. */
const TURNS_MAX = 2_000;
/** Rows of one destination looked at in one step, beyond what it may have. */
const STALE_MAX = 200;
/** A destination that failed is tried with one mail; the next may go so much later, should nobody hear of that one. */
const PROBE_MS = 300_000;
/** A mail that is being tried when its time is over is looked at again so much later. */
const BUSY_MS = 60_000;

/** What takes. */
export interface Taker {
  readonly dbs: Tables;
  readonly owner: string;
}

/** Each destination that is due gets its share, then the rest goes round. */
export function takeDue(taker: Taker, { nowMs, max, room }: Ask): Lease[] {
  const { dbs } = taker;
  const leases: Lease[] = [];
  const names = [...dbs.turns.getKeys({ end: timeKey(nowMs + 1), limit: TURNS_MAX })].map((key) => readTimed(key).rest);
  let open = names.map((name) => ({ name, left: room(name) })).filter(({ left }) => left > 0);
  while (leases.length < max && open.length > 0) {
    const share = Math.max(1, Math.floor((max - leases.length) / open.length));
    const more: typeof open = [];
    for (const each of open) {
      const wanted = Math.min(share, each.left, max - leases.length);
      if (wanted <= 0) break;
      const taken = takeOf(taker, each.name, { nowMs, max: wanted });
      leases.push(...taken);
      if (taken.length === wanted) more.push({ name: each.name, left: each.left - wanted });
    }
    open = more.filter(({ left }) => left > 0);
  }
  return leases;
}

function takeOf({ dbs, owner }: Taker, turn: string, { nowMs, max }: Omit<Ask, "room">): Lease[] {
  const state = readDestination(dbs, turn);
  if (state.suspended || (state.backoff && state.backoff.untilMs > nowMs)) {
    retime(dbs, turn, state);
    return [];
  }
  const isProbe = (state.backoff?.failures ?? 0) > 0;
  const wanted = isProbe ? 1 : max;
  const prefix = duePrefix(turn);
  const keys = [...dbs.due.getKeys({ start: prefix, end: dueEnd(turn, nowMs), limit: wanted + STALE_MAX })];
  const leases: Lease[] = [];
  for (const key of keys) {
    if (leases.length >= wanted) break;
    const lease = leaseOne({ dbs, owner }, readTimed(key, prefix.length), { turn, nowMs });
    if (lease) leases.push(lease);
  }
  retime(dbs, turn, readDestination(dbs, turn), isProbe && leases.length > 0 ? nowMs + PROBE_MS : nowMs);
  return leases;
}

/** Leases the mail of a row of `due`, or puts the row right. */
function leaseOne(
  { dbs, owner }: Taker,
  { at, rest: id }: { at: number; rest: string },
  { turn, nowMs }: { turn: string; nowMs: number },
): Lease | undefined {
  void dbs.due.remove(dueKey(turn, at, id));
  const row = readRow(dbs, id);
  if (!row || row.hold || dbs.leases.doesExist(leaseKey(id, turn)) || dbs.leases.doesExist(leaseKey(id, ""))) {
    return undefined;
  }
  const { clientId } = row.session;
  const waits = clientId !== undefined && !isClientTurn(turn) ? clientTurn(clientId) : undefined;
  if (waits !== undefined && readDestination(dbs, waits).suspended) {
    addDue(dbs, waits, { at, id });
    return undefined;
  }
  const lease = leaseOf(id, row, { turn, nowMs });
  if (lease.due.length === 0) {
    const later = dueAt(row, turn);
    if (later !== undefined && later > nowMs) addDue(dbs, turn, { at: later, id });
    return undefined;
  }
  void dbs.leases.put(leaseKey(id, turn), owner);
  return lease;
}

export function leaseOf(id: string, row: Row, { turn, nowMs }: { turn: string; nowMs: number }): Lease {
  const isAny = turn === "" || isClientTurn(turn);
  const due: number[] = [];
  const untold: number[] = [];
  for (const [place, { state, nextAt }] of row.recipients.entries()) {
    if (state === "waiting" && nextAt <= nowMs && (isAny || row.destinations[place] === turn)) due.push(place);
    if ((state === "failed" || state === "expired") && !row.told.includes(place)) untold.push(place);
  }
  return { mail: mailOf(id, row), turn, due, untold, isDelayTold: row.delayTold === true };
}

/** Leases, as a whole, mails that are to be looked at though nothing is due. */
export function takeLate({ dbs, owner }: Taker, { nowMs, max }: Omit<Ask, "room">): Lease[] {
  const leases: Lease[] = [];
  for (const key of [...dbs.late.getKeys({ end: timeKey(nowMs + 1), limit: max })]) {
    const { rest: id } = readTimed(key);
    const row = readRow(dbs, id);
    if (!row || row.lateAt > nowMs) {
      void dbs.late.remove(Buffer.from(key));
    } else if (leasesOf(dbs, id).length > 0) {
      setLate(dbs, id, row, nowMs + BUSY_MS);
      void dbs.mails.put(Buffer.from(id), JSON.stringify(row));
    } else {
      void dbs.leases.put(leaseKey(id, ""), owner);
      leases.push(leaseOf(id, row, { turn: "", nowMs }));
    }
  }
  return leases;
}

const AFTER = Buffer.of(1);

/** Whose turn is being taken for this mail. */
export function leasesOf({ leases }: Tables, id: string): string[] {
  const start = leaseKey(id, "");
  const end = Buffer.concat([start.subarray(0, -1), AFTER]);
  return [...leases.getKeys({ start, end })].map((key) => splitLease(key)[1]);
}

function splitLease(key: Uint8Array): [id: string, turn: string] {
  const bytes = Buffer.from(key.buffer, key.byteOffset, key.byteLength);
  const at = bytes.indexOf(0);
  return [idOf(bytes.subarray(0, at)), bytes.toString("utf8", at + 1)];
}

/** A lease ends: the mail waits for its turn again. */
export function endLease(dbs: Tables, id: string, turn: string): void {
  if (confirm(dbs, id)) return;
  void dbs.leases.remove(leaseKey(id, turn));
  const row = readRow(dbs, id);
  if (!row) return;
  // An operator dropped it meanwhile. A file of its content is swept at the next start.
  if (isDone(row)) return void remove(dbs, id, row);
  schedule(dbs, id, row, turn === "" || isClientTurn(turn) ? row.destinations : [turn]);
  if (turn === "") setLate(dbs, id, row, row.lateAt);
}

/** Ends what owners that are gone had leased. @returns how many */
export function endOrphans(dbs: Tables, at: Moment, isGone = goneBy(dbs, at)): number {
  let ended = 0;
  for (const { key, value } of [...dbs.leases.getRange()]) {
    if (!isGone(value)) continue;
    const [id, turn] = splitLease(key);
    endLease(dbs, id, turn);
    ended += 1;
  }
  return ended;
}

/** Asks for each owner once. */
export function goneBy(dbs: Tables, at: Moment, isThere = isAlive): (owner: string) => boolean {
  const known = new Map<string, boolean>();
  return (owner) => {
    let gone = known.get(owner);
    if (gone === undefined) {
      gone = !isThere(dbs, owner, at);
      known.set(owner, gone);
    }
    return gone;
  };
}

/** Forgets owners that are gone and have nothing left. */
export function forgetOwners(dbs: Tables, at: Moment): void {
  for (const key of [...dbs.owners.getKeys()]) {
    const name = idOf(key);
    if (readOwner(dbs, name) && !goesOn(dbs, name, at)) void dbs.owners.remove(Buffer.from(key));
  }
}
