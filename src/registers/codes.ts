import { z } from "zod";
import type { Clock } from "../kit/clock.ts";
import type { Key, Tables, Value } from "../kit/store.ts";
import { Misuse } from "../kit/trouble.ts";

/**
 * The register of management codes (Circular 12/2008 II): who may advertise for others, under which four characters, from when until
 * when. How long a code is good and when it must be renewed is data of a pack and comes in as `terms`.
 */
const codeSchema = z.strictObject({
  code: z
    .string()
    .regex(/^[A-Z0-9]{3}[123]$/, "three of A-Z and 0-9, then 1 (e-mail), 2 (texts) or 3 (texts from the Internet)"),
  /** Id of the client that holds it, else the domain that writes as From; lower case. */
  holder: z.string().regex(/^\S{1,253}$/, "the id of a client, or a domain"),
  /** The firm's name. */
  name: z.string().max(200).optional(),
  issuedAtMs: z.number(),
  /** The first moment it is no longer good. */
  expiresAtMs: z.number(),
  /** From then on it may not be used (II.6). */
  revokedAtMs: z.number().optional(),
  revokedWhy: z.string().max(200).optional(),
  /** It stands in the authority's list; only then may its holder advertise for others (III.1.2). */
  published: z.boolean(),
});
export type ManagementCode = Readonly<z.infer<typeof codeSchema>>;

export type CodeState = "valid" | "not-yet" | "expired" | "revoked";

export function stateOf({ issuedAtMs, expiresAtMs, revokedAtMs }: ManagementCode, nowMs: number): CodeState {
  if (revokedAtMs !== undefined && revokedAtMs <= nowMs) return "revoked";
  return nowMs >= expiresAtMs ? "expired" : nowMs < issuedAtMs ? "not-yet" : "valid";
}

/** What rules may ask. @throws Unavailable when the register does not answer */
export interface CodeReader {
  byCode(code: string): Promise<ManagementCode | undefined>;
  /** Every code of a client or domain, expired and revoked ones too, in no promised order. */
  heldBy(holder: string): Promise<ManagementCode[]>;
}

/** What a law says of codes (a pack's `codes`). */
export interface CodeTerms {
  readonly validYears: number;
  readonly renewDaysBefore: number;
}

export interface CodeRegister extends CodeReader {
  list(): Promise<ManagementCode[]>;
  /** A new one. @throws Misuse when there is one already, or a field does not do */
  issue(
    code: Omit<ManagementCode, "expiresAtMs"> & { expiresAtMs?: number },
    terms: CodeTerms,
  ): Promise<ManagementCode>;
  /** @throws Misuse when it is too late (II.2.4), or it is not valid */
  renew(code: string, terms: CodeTerms): Promise<ManagementCode>;
  /** @throws Misuse when there is none, or a field does not do */
  change(code: string, fields: Partial<Pick<ManagementCode, "holder" | "name" | "published">>): Promise<ManagementCode>;
  /** @throws Misuse when there is none */
  revoke(code: string, why: string, fromMs?: number): Promise<ManagementCode>;
  /** Takes one as the authority's list has it, in the place of what is recorded. @returns whether anything changed */
  adopt(code: ManagementCode): Promise<boolean>;
  /** Valid ones that end within so many days, the first to end first. */
  ending(withinDays: number): Promise<ManagementCode[]>;
}

const TABLE = "codes";
const HOLDERS = "code-holders";
/** There are hundreds: they lie together, and list reads them all. */
const keyOf = (code: string): Key => ({ partition: "all", id: code });
const holderKey = ({ holder, code }: ManagementCode): Key => ({ partition: holder, id: code });

const DAY_MS = 86_400_000;

/** The same day so many years on; 29 February becomes 1 March. */
export function yearsAfter(ms: number, years: number): number {
  const date = new Date(ms);
  date.setUTCFullYear(date.getUTCFullYear() + years);
  return date.getTime();
}

/** The register of codes on any store. */
export function createCodeRegister(tables: Tables, clock: Clock): CodeRegister {
  const byCode = async (code: string): Promise<ManagementCode | undefined> => {
    const row = await tables.get(TABLE, keyOf(code.toUpperCase()));
    return row && codeSchema.parse(row.value);
  };
  const list = async (): Promise<ManagementCode[]> => {
    const found: ManagementCode[] = [];
    for await (const row of tables.list(TABLE, "all")) found.push(codeSchema.parse(row.value));
    return found;
  };
  const save = (code: ManagementCode, old?: ManagementCode) => saveCode(tables, checked(code), old);
  const need = async (code: string): Promise<ManagementCode> => {
    const found = await byCode(code);
    if (!found) throw new Misuse(`there is no code ${code}; consentry code list names them`);
    return found;
  };
  return {
    byCode,
    list,
    async heldBy(holder) {
      const codes: (ManagementCode | undefined)[] = [];
      for await (const { key } of tables.list(HOLDERS, holder)) codes.push(await byCode(key.id));
      return codes.filter((code) => code !== undefined);
    },
    async issue(code, terms) {
      const old = await byCode(code.code);
      if (old) throw new Misuse(`there is a code ${old.code} already, of ${old.holder}`);
      const latestMs = yearsAfter(code.issuedAtMs, terms.validYears);
      const expiresAtMs = code.expiresAtMs ?? latestMs;
      if (expiresAtMs > latestMs) throw new Misuse(`a code is good for ${terms.validYears} years at most`);
      return save({ ...code, expiresAtMs });
    },
    async renew(text, terms) {
      const code = await need(text);
      return save(renewed(code, terms, clock.now()), code);
    },
    async change(text, fields) {
      const code = await need(text);
      return save({ ...code, ...fields }, code);
    },
    async revoke(text, why, fromMs = clock.now()) {
      const code = await need(text);
      return save({ ...code, revokedAtMs: fromMs, revokedWhy: why }, code);
    },
    async adopt(code) {
      const old = await byCode(code.code);
      if (old && JSON.stringify(checked(code)) === JSON.stringify(old)) return false;
      await save(code, old);
      return true;
    },
    async ending(withinDays) {
      const nowMs = clock.now();
      const soon = (await list()).filter(
        (code) => stateOf(code, nowMs) === "valid" && code.expiresAtMs - nowMs <= withinDays * DAY_MS,
      );
      return soon.sort((one, other) => one.expiresAtMs - other.expiresAtMs);
    },
  };
}

/** The holder's row is written first and taken away last: a code is never without the way to it. */
async function saveCode(
  tables: Tables,
  code: ManagementCode,
  old: ManagementCode | undefined,
): Promise<ManagementCode> {
  await tables.put(HOLDERS, holderKey(code), true);
  await tables.put(TABLE, keyOf(code.code), code as Value);
  if (old && old.holder !== code.holder) await tables.remove(HOLDERS, holderKey(old));
  return code;
}

function renewed(code: ManagementCode, { validYears, renewDaysBefore }: CodeTerms, nowMs: number): ManagementCode {
  const state = stateOf(code, nowMs);
  if (state !== "valid") throw new Misuse(`${code.code} is ${state}: a new code is needed`);
  const lastDayMs = code.expiresAtMs - renewDaysBefore * DAY_MS;
  if (nowMs > lastDayMs) {
    throw new Misuse(
      `too late: ${code.code} had to be renewed by ${dayOf(lastDayMs)}, ${renewDaysBefore} days before it ends`,
    );
  }
  return { ...code, expiresAtMs: yearsAfter(code.expiresAtMs, validYears) };
}

export const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

function checked(code: ManagementCode): ManagementCode {
  const result = codeSchema.safeParse({ ...code, code: code.code.toUpperCase(), holder: code.holder.toLowerCase() });
  const problems = (result.error?.issues ?? []).map((issue) => `${issue.path.join(".")}: ${issue.message}`);
  if (result.success && result.data.expiresAtMs <= result.data.issuedAtMs)
    problems.push("expires: before it is issued");
  if (result.success && problems.length === 0) return result.data;
  throw new Misuse("this code cannot be recorded:", problems);
}
