/** The spool as operators see it: beside the running service, which finds what they changed when it looks for the next mail. */
import type { QueuedMail, QueuedRecipient } from "../../delivery/queue/queued.ts";
import type { DestinationState, Filter, Listed, MailState, SpoolDesk, Whom } from "../../delivery/queue/spool.ts";
import type { Environment } from "../lmdb/environment.ts";
import { partsOf } from "../lmdb/keys.ts";
import { createContents } from "./contents.ts";
import { leasesOf } from "./leasing.ts";
import { openEnvironment } from "./open.ts";
import {
  clientTurn,
  type DestinationRow,
  idKey,
  idOf,
  mailOf,
  type Name,
  type Row,
  readDestination,
  readRow,
  type Tables,
  writeRow,
} from "./rows.ts";
import { remove, withoutHold } from "./settling.ts";
import { retime, schedule, setLate, unschedule } from "./turns.ts";

export function openSpoolDesk(dir: string, timeoutMs: number): SpoolDesk {
  const environment = openEnvironment(dir, timeoutMs);
  const contents = createContents(dir, environment, 0);
  return {
    find: (id) => environment.read((dbs) => listed(dbs, id)),
    list: (filter) => list(environment, filter),
    destinations: () => destinationsOf(environment),
    retry: (id) => environment.write((dbs) => retry(dbs, id)),
    async drop(id) {
      const found = await environment.write((dbs) => drop(dbs, id));
      if (found?.isFileOver) await contents.removeFile(id);
      return found?.mail;
    },
    hold: (id, hold) =>
      environment.write((dbs) => {
        const row = readRow(dbs, id);
        if (!row || row.hold || dbs.arriving.doesExist(idKey(id))) return undefined;
        unschedule(dbs, id, row);
        const held = { ...row, hold };
        setLate(dbs, id, held, hold.until);
        writeRow(dbs, id, held);
        return mailOf(id, held);
      }),
    release: (id, nowMs) => environment.write((dbs) => release(dbs, id, nowMs)),
    suspend: (whom, suspended) =>
      environment.write((dbs) => {
        const name = turnOf(whom);
        const row = readDestination(dbs, name);
        if (row.suspended) return false;
        retime(dbs, name, { ...row, suspended });
        return true;
      }),
    resume: (whom) => environment.write((dbs) => resume(dbs, whom)),
    content: contents.read,
    close: () => environment.close(),
  };
}

const turnOf = (whom: Whom): string => ("client" in whom ? clientTurn(whom.client) : whom.destination);

function listed(dbs: Tables, id: string): Listed | undefined {
  const row = readRow(dbs, id);
  return row && { mail: mailOf(id, row), state: stateOf(dbs, id, row), destinations: row.destinations };
}

function stateOf(dbs: Tables, id: string, row: Row): MailState {
  if (dbs.arriving.doesExist(idKey(id))) return "arriving";
  if (leasesOf(dbs, id).length > 0) return "leased";
  if (row.hold) return "held";
  return row.recipients.some(({ attempts }) => attempts > 0) ? "deferred" : "queued";
}

const PAGE = 200;

async function* list(environment: Environment<Name>, filter: Filter): AsyncGenerator<Listed> {
  let left = filter.limit ?? Number.POSITIVE_INFINITY;
  let start: Buffer | undefined;
  while (left > 0) {
    const { page, last } = await environment.read((dbs) => readPage(dbs, start, filter));
    for (const each of page) {
      if (left <= 0) return;
      left -= 1;
      yield each;
    }
    if (!last) return;
    start = last;
  }
}

/** What matches of the next so many mails. */
function readPage(dbs: Tables, start: Buffer | undefined, filter: Filter): { page: Listed[]; last?: Buffer } {
  const range = start ? { start, exclusiveStart: true } : {};
  const rows = [...dbs.mails.getRange({ ...range, limit: PAGE })];
  const page = rows.flatMap(({ key, value }) => {
    const id = idOf(key);
    const row = JSON.parse(value) as Row;
    if (!matches(row, filter)) return [];
    const state = stateOf(dbs, id, row);
    if (filter.state !== undefined && filter.state !== state) return [];
    return [{ mail: mailOf(id, row), state, destinations: row.destinations }];
  });
  const last = rows.length === PAGE ? rows.at(-1) : undefined;
  return { page, ...(last && { last: Buffer.from(last.key) }) };
}

function matches(row: Row, { destination, client, sender, recipient, beforeMs }: Filter): boolean {
  return (
    (beforeMs === undefined || row.arrivedAt < beforeMs) &&
    (client === undefined || row.session.clientId === client) &&
    (sender === undefined || (row.sender.address?.key ?? "").includes(sender)) &&
    (recipient === undefined || row.recipients.some(({ recipient: { address } }) => address.key.includes(recipient))) &&
    (destination === undefined || waitsFor(row, destination))
  );
}

const waitsFor = ({ recipients, destinations }: Row, destination: string): boolean =>
  destinations.some((each, place) => each === destination && recipients[place]?.state === "waiting");

const KEYS_PAGE = 5_000;

/** Counted from the index, a piece at a time: the queue may be long. */
async function* destinationsOf(environment: Environment<Name>): AsyncGenerator<DestinationState> {
  const counts = await countDue(environment);
  const known = await environment.read(({ destinations }) =>
    [...destinations.getRange()].map(({ value }) => JSON.parse(value) as DestinationRow & { name: string }),
  );
  for (const { name, turnAt, backoff, suspended } of known) {
    yield {
      destination: name,
      mails: counts.get(name) ?? 0,
      failures: backoff?.failures ?? 0,
      ...(turnAt !== undefined && { nextAt: turnAt }),
      ...(backoff && { untilMs: backoff.untilMs, ...(backoff.last !== undefined && { last: backoff.last }) }),
      ...(suspended && { suspended }),
    };
  }
}

async function countDue(environment: Environment<Name>): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  let start: Buffer | undefined;
  for (;;) {
    const keys = await environment.read(({ due }) => {
      const range = start ? { start, exclusiveStart: true } : {};
      return [...due.getKeys({ ...range, limit: KEYS_PAGE })].map((key) => Buffer.from(key));
    });
    for (const key of keys) {
      const name = partsOf(key.subarray(0, key.indexOf(0)))[0] ?? "";
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    start = keys.at(-1);
    if (keys.length < KEYS_PAGE) return counts;
  }
}

/** Now, whatever the schedule says; and the destinations are given another chance. */
function retry(dbs: Tables, id: string): boolean {
  const row = readRow(dbs, id);
  const isWaiting = row?.recipients.some(({ state }) => state === "waiting");
  if (!row || !isWaiting || row.hold || dbs.arriving.doesExist(idKey(id))) return false;
  unschedule(dbs, id, row);
  const again = { ...row, recipients: row.recipients.map((each) => ({ ...each, nextAt: 0 })) };
  writeRow(dbs, id, again);
  for (const destination of new Set(row.destinations)) {
    const { backoff: _, ...state } = readDestination(dbs, destination);
    retime(dbs, destination, state);
  }
  schedule(dbs, id, again);
  return true;
}

function drop(dbs: Tables, id: string): { mail: QueuedMail; isFileOver: boolean } | undefined {
  const row = readRow(dbs, id);
  if (!row || dbs.arriving.doesExist(idKey(id))) return undefined;
  const mail = mailOf(id, row);
  if (leasesOf(dbs, id).length === 0) return { mail, isFileOver: remove(dbs, id, row) };
  // Somebody is trying it: whoever settles that finds these dropped, and the mail done.
  const dropped = (each: QueuedRecipient): QueuedRecipient =>
    each.state === "waiting" ? { ...each, state: "dropped" } : each;
  unschedule(dbs, id, row);
  writeRow(dbs, id, { ...withoutHold(row), recipients: row.recipients.map(dropped) });
  return { mail, isFileOver: false };
}

function release(dbs: Tables, id: string, nowMs: number): QueuedMail | undefined {
  const row = readRow(dbs, id);
  if (!row?.hold) return undefined;
  const free = withoutHold(row);
  const recipients = row.recipients.map((each) => (each.state === "waiting" ? { ...each, nextAt: nowMs } : each));
  // Days in hold were no attempts: what is released has all its time before it.
  const expiresAt = Math.max(row.expiresAt, nowMs + row.expiresAt - row.arrivedAt);
  const next: Row = { ...free, recipients, expiresAt };
  setLate(dbs, id, next, expiresAt);
  writeRow(dbs, id, next);
  schedule(dbs, id, next);
  return mailOf(id, row);
}

/** What waits for a client's resumption goes back to its destinations. */
function resume(dbs: Tables, whom: Whom): boolean {
  const name = turnOf(whom);
  const { suspended, ...state } = readDestination(dbs, name);
  if (!suspended) return false;
  retime(dbs, name, state);
  return true;
}
