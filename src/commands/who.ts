/**
 * Who asks at the command line, and what he may see. The login is the one the audit system noted when the session began, which
 * sudo and su leave alone; where nothing is noted, the user the command runs as.
 */
import { readFileSync } from "node:fs";
import { userInfo } from "node:os";
import type { Config } from "../config/schema.ts";
import { samePerson } from "../ledger/requests.ts";
import { text } from "./globals.ts";
import { Refused } from "./output.ts";

export interface Asker {
  /** For the ledger. */
  readonly name: string;
  /** Auditors see whole addresses and answer requests; operators see counts and masked addresses. */
  readonly role: "auditor" | "operator";
}

export const asOption = text("for whom you ask, where ledger.mayActAs allows it; default: your login");

const NOT_SET = 0xffff_ffff;

/** The login of this session. */
export function loginName(): string {
  const uid = sessionUid();
  if (uid !== undefined) return nameOf(uid) ?? `uid ${uid}`;
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? "unknown"}`;
  }
}

function sessionUid(): number | undefined {
  try {
    const uid = Number(readFileSync("/proc/self/loginuid", "utf8"));
    return Number.isInteger(uid) && uid !== NOT_SET ? uid : undefined;
  } catch {
    return undefined;
  }
}

function nameOf(uid: number): string | undefined {
  try {
    const lines = readFileSync("/etc/passwd", "utf8").split("\n");
    return lines.map((line) => line.split(":")).find((fields) => fields[2] === String(uid))?.[0];
  } catch {
    return undefined;
  }
}

/** @param as for whom. @throws Refused when this login may not say so */
export function whoAsks({ ledger }: Pick<Config, "ledger">, as: string | undefined, login = loginName()): Asker {
  const { auditors, mayActAs } = ledger;
  if (as !== undefined && !samePerson(as, login) && !mayActAs.includes(login)) {
    throw new Refused(`${login} may not ask for somebody else: ledger.mayActAs does not name ${login}`);
  }
  const name = as ?? login;
  const auditor = auditors === undefined || auditors.some((each) => samePerson(each, name));
  return { name, role: auditor ? "auditor" : "operator" };
}

/** @throws Refused unless the asker is an auditor */
export function needAuditor({ name, role }: Asker): void {
  if (role !== "auditor") throw new Refused(`this is for auditors, and ledger.auditors does not name ${name}`);
}
