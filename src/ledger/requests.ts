/**
 * An authority's requests for entries, each under its case number: one person opens it, another approves it, and only then can it be
 * exported. Order 38 art. 10 says what is given on lawful request; art. 9, that nothing else is.
 */
import type { Clock } from "../kit/clock.ts";
import type { Key, Tables, Value } from "../kit/store.ts";
import type { Search } from "./journal.ts";

export interface LawfulRequest {
  /** Number of the case; there is one request for each. */
  readonly case: string;
  /** Who asks. */
  readonly authority: string;
  /** By what right: law and article, number and date of the order. */
  readonly basis: string;
  /** What is asked for, in the order's own words. */
  readonly scope: string;
  /** What is exported. */
  readonly search: Search;
  readonly openedBy: string;
  readonly openedAt: number;
  readonly approvedBy?: string;
  readonly approvedAt?: number;
  /** The newest export. */
  readonly exported?: { readonly by: string; readonly at: number; readonly entries: number; readonly digest: string };
}

export type Opening = Omit<LawfulRequest, "openedAt" | "approvedBy" | "approvedAt" | "exported">;

/** Why a request cannot be approved. */
export type Objection = "unknown" | "own" | "approved";

/** @param request undefined: there is none */
export function objectionTo(request: LawfulRequest | undefined, by: string): Objection | undefined {
  if (!request) return "unknown";
  if (request.approvedBy !== undefined) return "approved";
  return samePerson(request.openedBy, by) ? "own" : undefined;
}

export interface RequestRegister {
  /** @returns undefined when the case has one already */
  open(opening: Opening): Promise<LawfulRequest | undefined>;
  approve(caseNumber: string, by: string): Promise<LawfulRequest | Objection>;
  exported(caseNumber: string, exported: Omit<NonNullable<LawfulRequest["exported"]>, "at">): Promise<void>;
  find(caseNumber: string): Promise<LawfulRequest | undefined>;
  /** Oldest first. */
  list(): Promise<LawfulRequest[]>;
}

const TABLE = "ledger-requests";
const PARTITION = "all";
const keyOf = (caseNumber: string): Key => ({ partition: PARTITION, id: caseNumber });

export function createRequestRegister(tables: Tables, clock: Clock): RequestRegister {
  const read = async (caseNumber: string) => {
    const row = await tables.get(TABLE, keyOf(caseNumber));
    return row && { request: row.value as unknown as LawfulRequest, version: row.version };
  };
  const write = (request: LawfulRequest, version: number): Promise<number | undefined> =>
    tables.put(TABLE, keyOf(request.case), request as unknown as Value, version);
  return {
    async open(opening) {
      const request = { ...opening, openedAt: clock.now() };
      return (await write(request, 0)) === undefined ? undefined : request;
    },
    async approve(caseNumber, by) {
      const found = await read(caseNumber);
      const objection = objectionTo(found?.request, by);
      if (!found || objection) return objection ?? "unknown";
      const approved = { ...found.request, approvedBy: by, approvedAt: clock.now() };
      return (await write(approved, found.version)) === undefined ? "approved" : approved;
    },
    async exported(caseNumber, exported) {
      const found = await read(caseNumber);
      if (found) await write({ ...found.request, exported: { ...exported, at: clock.now() } }, found.version);
    },
    find: async (caseNumber) => (await read(caseNumber))?.request,
    async list() {
      const found: LawfulRequest[] = [];
      for await (const { value } of tables.list(TABLE, PARTITION)) found.push(value as unknown as LawfulRequest);
      return found.sort((a, b) => a.openedAt - b.openedAt);
    },
  };
}

export const samePerson = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase();

export const stateOf = ({ approvedBy, exported }: LawfulRequest): "open" | "approved" | "exported" =>
  exported ? "exported" : approvedBy === undefined ? "open" : "approved";
