/**
 * Who holds leases: a process, known by its id and the moment it started, so that another one with the same id is not taken for it.
 * A lease ends with its owner: at once where its death can be seen, else when it has not been heard of for SILENT_MS: by the machine's
 * steady clock where it runs on this one, as the other may be set while a process of another time is still ending.
 */
import { randomBytes } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import type { Tables } from "./rows.ts";

/** An owner says that it is there every so often … */
export const HEARTBEAT_MS = 10_000;
/** … and is given up after this. */
export const SILENT_MS = 60_000;

interface OwnerRow {
  readonly pid: number;
  /** Ticks since the machine started. */
  readonly started: string;
  /** Of the machine's start, and of the room in which the pid counts. */
  readonly where: string;
  /** By the clock that may be set. */
  readonly heardAt: number;
  /** By the one of its machine that nobody sets; absent: an older consentry wrote it. */
  readonly steadyAt?: number;
  /** The service it belongs to; absent for a process that helps one. */
  readonly service?: string;
  /** Whose helper it is: what that one took in may be in its hands. */
  readonly parent?: Process;
  /** The supervisor that started it; when that is gone it only ends its mails. */
  readonly keeper?: Process;
}

/** Now, by both clocks. */
export interface Moment {
  readonly nowMs: number;
  /** Of the machine, the same for all of its processes. */
  readonly steadyMs: number;
}

interface Process {
  readonly pid: number;
  readonly started: string;
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function where(): string {
  try {
    return `${read("/proc/sys/kernel/random/boot_id").trim()} ${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    return "";
  }
}

/** When a process started, in the kernel's count; empty: there is none, or it is over. */
function startOf(pid: number): string {
  const [state = "", ...fields] = read(`/proc/${pid}/stat`).split(") ").at(-1)?.split(" ") ?? [];
  return state === "Z" || state === "X" ? "" : (fields[18] ?? "");
}

export interface Owner {
  readonly name: string;
  /** Says that it is there. */
  beat(dbs: Tables, at: Moment): void;
}

/** Which process this is, among all there ever are on this machine. */
export const nameOf = (pid: number): string => `${pid} ${startOf(pid)}`;

const processOf = (pid: number): Process => ({ pid, started: startOf(pid) });

/**
 * @param service the same for all processes of one service; absent: a process that one of them started
 * @param keeper id of the process that started them all, where one did
 */
export function createOwner(service?: string, keeper?: number): Owner {
  const name = randomBytes(9).toString("base64url");
  const belongs = service ? { service } : { parent: processOf(process.ppid) };
  const kept = keeper === undefined ? {} : { keeper: processOf(keeper) };
  const self = { ...processOf(process.pid), where: where(), ...belongs, ...kept };
  return {
    name,
    beat: ({ owners }, { nowMs, steadyMs }) =>
      void owners.put(Buffer.from(name), JSON.stringify({ ...self, heardAt: nowMs, steadyAt: steadyMs })),
  };
}

/** Is this owner there? One that is, and has been silent for too long, hangs. */
export function isAlive(dbs: Tables, name: string, at: Moment): boolean {
  const row = readOwner(dbs, name);
  return row !== undefined && isThere(row, row.where) && Math.abs(silenceOf(row, at)) <= SILENT_MS;
}

const silenceOf = ({ where: room, heardAt, steadyAt }: OwnerRow, { nowMs, steadyMs }: Moment): number =>
  steadyAt !== undefined && room !== "" && room === where() ? steadyMs - steadyAt : nowMs - heardAt;

/** A process of another machine or room cannot be looked at, and counts as there. */
const isThere = ({ pid, started }: Process, whence: string): boolean =>
  whence !== where() || whence === "" || startOf(pid) === started;

/** Is this owner there, or a helper of its that may still be trying what it took in? */
export function goesOn(dbs: Tables, name: string, at: Moment): boolean {
  const row = readOwner(dbs, name);
  if (!row) return false;
  if (isAlive(dbs, name, at)) return true;
  return [...dbs.owners.getRange()].some(({ key, value }) => {
    const { parent, where: room } = JSON.parse(value) as OwnerRow;
    const isHelper = parent?.pid === row.pid && parent.started === row.started && room === row.where;
    return isHelper && isAlive(dbs, Buffer.from(key).toString(), at);
  });
}

export function readOwner({ owners }: Tables, name: string): OwnerRow | undefined {
  const text = owners.get(Buffer.from(name));
  return text === undefined ? undefined : (JSON.parse(text) as OwnerRow);
}

/** Processes beside the service that are there: those that only deliver. */
export function helpersIn(dbs: Tables, at: Moment): number {
  let count = 0;
  for (const { key } of dbs.owners.getRange()) {
    const name = Buffer.from(key).toString();
    if (readOwner(dbs, name)?.service === undefined && isAlive(dbs, name, at)) count += 1;
  }
  return count;
}

/** Those of the service who are there, and one of another service, if there is one. */
export function servicesOf(dbs: Tables, service: string, at: Moment): { ours: number; stranger?: OwnerRow } {
  let ours = 0;
  for (const { key } of dbs.owners.getRange()) {
    const name = Buffer.from(key).toString();
    const row = readOwner(dbs, name);
    if (row?.service === undefined || !isAlive(dbs, name, at)) continue;
    // Workers that lost their supervisor end their mails beside the next one's, as if they were its own.
    const isOrphan = row.keeper !== undefined && !isThere(row.keeper, row.where);
    if (row.service !== service && !isOrphan) return { ours, stranger: row };
    ours += 1;
  }
  return { ours };
}
