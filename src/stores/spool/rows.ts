/**
 * The rows of the spool. Mails lie under their ids, which rise with time; what is due is found by three indexes, so that nothing
 * has to be kept in memory:
 *
 *   due    destination, time, id     one row for each destination a mail waits for; a hint, checked against the mail
 *   turns  time, destination         when a destination's first mail is due; none while the destination is suspended
 *   late   time, id                  when a mail is looked at though nothing is due: delay, end of its life, end of a hold
 */
import type { QueuedMail } from "../../delivery/queue/queued.ts";
import type { Backoff, NewMail, Suspension } from "../../delivery/queue/spool.ts";
import { prefixOf, TIME_BYTES } from "../lmdb/keys.ts";
import type { Dbs } from "../lmdb/open.ts";

export const NAMES = [
  "mails",
  "bodies",
  "arriving",
  "due",
  "turns",
  "destinations",
  "late",
  "leases",
  "owners",
  "meta",
] as const;
export type Name = (typeof NAMES)[number];
export type Tables = Dbs<Name>;

/** A mail as it is stored; its id is the key. */
export interface Row extends Omit<QueuedMail, "id"> {
  destinations: readonly string[];
  lateAt: number;
  /** Places of recipients whose end the sender knows, or is not to know. */
  told: readonly number[];
  delayTold?: true;
  /** The content is a file. */
  isFile?: true;
}

/** What is known of a destination, or of a client whose mail waits. */
export interface DestinationRow {
  /** Its row in `turns`. */
  turnAt?: number;
  backoff?: Backoff;
  suspended?: Suspension;
}

export const idKey = (id: string): Buffer => Buffer.from(id, "latin1");
export const idOf = (key: Uint8Array): string => textOf(key, "latin1");

const textOf = (bytes: Uint8Array, encoding: BufferEncoding): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString(encoding);

/** Where suspended clients' mail waits: not a name that a carrier gives. */
export const clientTurn = (client: string): string => `~client/${client}`;
export const isClientTurn = (name: string): boolean => name.startsWith("~client/");

const PREFIXES_KEPT = 1_000;
const prefixes = new Map<string, Buffer>();

/** What the `due` rows of a destination begin with. */
export function duePrefix(destination: string): Buffer {
  let prefix = prefixes.get(destination);
  if (!prefix) {
    prefix = prefixOf(destination);
    if (prefixes.size >= PREFIXES_KEPT) prefixes.clear();
    prefixes.set(destination, prefix);
  }
  return prefix;
}

/** Bytes, then a time, then the id. */
function timed(prefix: Buffer, at: number, rest: string): Buffer {
  const key = Buffer.allocUnsafe(prefix.length + TIME_BYTES + Buffer.byteLength(rest));
  prefix.copy(key);
  key.writeUIntBE(wholeMs(at), prefix.length, TIME_BYTES);
  key.write(rest, prefix.length + TIME_BYTES);
  return key;
}

const wholeMs = (at: number): number => Math.min(Math.max(0, Math.floor(at)), 2 ** 48 - 1);
const NOTHING = Buffer.alloc(0);

export const dueKey = (destination: string, at: number, id: string): Buffer => timed(duePrefix(destination), at, id);
/** The end, exclusive, of a destination's mails that are due. */
export const dueEnd = (destination: string, nowMs: number): Buffer => timed(duePrefix(destination), nowMs + 1, "");
export const timeKey = (at: number, rest = ""): Buffer => timed(NOTHING, at, rest);

/** The time at `offset` in a key, and the text behind it. */
export function readTimed(key: Uint8Array, offset = 0): { at: number; rest: string } {
  const bytes = Buffer.from(key.buffer, key.byteOffset, key.byteLength);
  return { at: bytes.readUIntBE(offset, TIME_BYTES), rest: bytes.toString("utf8", offset + TIME_BYTES) };
}

/** A mail is leased for a destination, or (without one) as a whole. */
export const leaseKey = (id: string, turn: string): Buffer => Buffer.from(`${id}\0${turn}`);

export function readRow({ mails }: Tables, id: string): Row | undefined {
  const text = mails.get(idKey(id));
  return text === undefined ? undefined : (JSON.parse(text) as Row);
}

/** Rows of mails that are tried while they are arriving: nobody else changes those. */
export const freshRows = new WeakMap<QueuedMail, Row>();

export const writeRow = ({ mails }: Tables, id: string, row: Row): void =>
  void mails.put(idKey(id), JSON.stringify(row));

export function rowOf({ id: _, ...mail }: NewMail): Row {
  const told = mail.recipients.flatMap(({ state }, at) => (state === "dropped" ? [at] : []));
  return { ...mail, told };
}

export function mailOf(id: string, row: Row): QueuedMail {
  const { destinations: _, lateAt: _late, told: _told, delayTold: _delay, isFile: _file, ...mail } = row;
  return { id, ...mail };
}

export function readDestination({ destinations }: Tables, name: string): DestinationRow {
  const text = destinations.get(duePrefix(name));
  return text === undefined ? {} : (JSON.parse(text) as DestinationRow);
}

/** One that has nothing to say is not kept: destinations are as many as the world has domains. */
export function writeDestination({ destinations }: Tables, name: string, row: DestinationRow): void {
  const key = duePrefix(name);
  if (row.turnAt === undefined && !row.backoff && !row.suspended) void destinations.remove(key);
  else void destinations.put(key, JSON.stringify({ ...row, name }));
}
