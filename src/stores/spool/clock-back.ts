/**
 * A clock that was hours ahead and is put right leaves mails that wait for times which are hours away. Every beat of an owner leaves the
 * time in the spool; where that is in the future the clock has gone back, and what was written meanwhile is brought back to now: by what is in
 * the future though it has happened already (arrived, tried, held), so that nothing else is touched.
 */
import type { QueuedRecipient } from "../../delivery/queue/queued.ts";
import type { Environment } from "../lmdb/environment.ts";
import {
  type DestinationRow,
  type Name,
  type Row,
  readDestination,
  readRow,
  readTimed,
  type Tables,
  writeRow,
} from "./rows.ts";
import { retime, schedule, setLate, unschedule } from "./turns.ts";

/** Steps that a clock which is kept in step makes. */
const STEP_MS = 10_000;
/** A destination that was left alone meanwhile is tried again so much later, at the latest. */
const BACKOFF_MS_MAX = 300_000;
const PAGE = 500;
const CLOCK = Buffer.from("clock");

/** Leaves the time. */
export function noteClock({ meta }: Tables, nowMs: number): void {
  if (Number(meta.get(CLOCK) ?? 0) < nowMs) void meta.put(CLOCK, String(nowMs));
}

/** @returns how many mails were brought back; undefined: the clock has not gone back */
export async function bringBack(environment: Environment<Name>, nowMs: number): Promise<number | undefined> {
  const latest = await environment.read(({ meta }) => Number(meta.get(CLOCK) ?? 0));
  if (latest <= nowMs + STEP_MS) return undefined;
  let mails = 0;
  for await (const ids of pages(environment, ({ late }, start) => {
    const keys = [...late.getKeys({ ...(start && { start }), limit: PAGE })].map((key) => Buffer.from(key));
    return { ids: keys.map((key) => readTimed(key).rest), last: keys.at(-1) };
  })) {
    mails += await environment.write((dbs) => ids.filter((id) => shiftMail(dbs, id, nowMs)).length, ids.length);
  }
  await shiftDestinations(environment, nowMs);
  await environment.write(({ meta }) => void meta.put(CLOCK, String(nowMs)));
  return mails;
}

interface Page {
  readonly ids: readonly string[];
  readonly last: Buffer | undefined;
}

/** A piece at a time: the queue may be long, and others want to write meanwhile. */
async function* pages(
  environment: Environment<Name>,
  read: (dbs: Tables, start: Buffer | undefined) => Page,
): AsyncGenerator<readonly string[]> {
  let start: Buffer | undefined;
  do {
    const { ids, last } = await environment.read((dbs) => read(dbs, start));
    if (ids.length > 0) yield ids;
    start = last && ids.length === PAGE ? Buffer.concat([last, Buffer.of(0)]) : undefined;
  } while (start);
}

/** @returns whether there was something to bring back */
function shiftMail(dbs: Tables, id: string, nowMs: number): boolean {
  const row = readRow(dbs, id);
  const shifted = row && shiftedRow(row, nowMs);
  if (!row || !shifted) return false;
  unschedule(dbs, id, row);
  setLate(dbs, id, row, shifted.lateAt);
  writeRow(dbs, id, shifted);
  schedule(dbs, id, shifted);
  return true;
}

/** @returns undefined where nothing of it is in the future that has happened already */
function shiftedRow(row: Row, nowMs: number): Row | undefined {
  const aheadMs = Math.max(0, row.arrivedAt - nowMs);
  const recipients = row.recipients.map((each) => shiftedRecipient(each, row.arrivedAt, nowMs));
  const isHeldAhead = row.hold !== undefined && row.hold.since > nowMs;
  if (aheadMs === 0 && !isHeldAhead && recipients.every((each, place) => each === row.recipients[place]))
    return undefined;
  const hold =
    row.hold && isHeldAhead ? { ...row.hold, since: nowMs, until: nowMs + row.hold.until - row.hold.since } : row.hold;
  const expiresAt = row.expiresAt - aheadMs;
  const lateAt = Math.min(row.lateAt - aheadMs, hold?.until ?? expiresAt);
  return { ...row, arrivedAt: row.arrivedAt - aheadMs, expiresAt, lateAt, recipients, ...(hold && { hold }) };
}

/** It waits as long as it was to wait, from now on. */
function shiftedRecipient(recipient: QueuedRecipient, arrivedAt: number, nowMs: number): QueuedRecipient {
  const { last, nextAt } = recipient;
  const since = last?.at ?? arrivedAt;
  if (since <= nowMs) return recipient;
  return { ...recipient, nextAt: nowMs + Math.max(0, nextAt - since), ...(last && { last: { ...last, at: nowMs } }) };
}

async function shiftDestinations(environment: Environment<Name>, nowMs: number): Promise<void> {
  const untilMs = nowMs + BACKOFF_MS_MAX;
  for await (const names of pages(environment, ({ destinations }, start) => {
    const rows = [...destinations.getRange({ ...(start && { start }), limit: PAGE })];
    const last = rows.at(-1);
    const ids = rows.map(({ value }) => (JSON.parse(value) as { name: string }).name);
    return { ids, last: last && Buffer.from(last.key) };
  })) {
    await environment.write((dbs) => {
      for (const name of names) {
        const { backoff, ...row }: DestinationRow = readDestination(dbs, name);
        retime(
          dbs,
          name,
          backoff ? { ...row, backoff: { ...backoff, untilMs: Math.min(backoff.untilMs, untilMs) } } : row,
        );
      }
    }, names.length);
  }
}
