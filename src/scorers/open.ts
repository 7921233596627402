import { readFileSync } from "node:fs";
import type { Config } from "../config/schema.ts";
import { Misuse } from "../kit/trouble.ts";
import type { Scorers } from "../rules/content/scorers.ts";
import { createClamd } from "./clamd.ts";
import { createRspamd } from "./rspamd.ts";

/** The scorers that the configuration names. Opens no connection yet. @throws Misuse for a password that cannot be read */
export function openScorers({ rspamd, clamd }: Config["scorers"]): Scorers {
  return {
    ...(rspamd && { spam: createRspamd({ ...rspamd, ...passwordOf(rspamd.passwordFile) }) }),
    ...(clamd && { malware: createClamd({ ...clamd, to: clamd.listen }) }),
  };
}

function passwordOf(file: string | undefined): { password?: string } {
  if (file === undefined) return {};
  try {
    return { password: readFileSync(file, "utf8").trim() };
  } catch (error) {
    throw new Misuse(`scorers.rspamd.passwordFile: ${(error as Error).message}`);
  }
}
