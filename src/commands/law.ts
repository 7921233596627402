/** The law of a configuration, for looking at: compiled like the server's, without store, ledger or sockets. */
import { randomBytes } from "node:crypto";
import type { LoadedConfig } from "../config/load.ts";
import { createTokens } from "../desk/tokens.ts";
import { systemClock } from "../kit/clock.ts";
import { createIds } from "../kit/ids.ts";
import { createLog } from "../kit/log.ts";
import { type Law, layDownLaw } from "../law-in-force.ts";
import { createCodeRegister } from "../registers/codes.ts";
import { createConsentQuotas } from "../registers/consent-quotas.ts";
import { createConsentRegister } from "../registers/consents.ts";
import { createMemoryStore } from "../stores/memory/store.ts";

/** @throws Misuse listing everything that does not fit */
export function lawOf(loaded: LoadedConfig): Law {
  const clock = systemClock;
  const store = createMemoryStore(clock);
  const secret = randomBytes(32);
  return layDownLaw(loaded, {
    clock,
    ids: createIds(clock, secret),
    tokens: createTokens(secret, clock, loaded.config.refusals.requestDays),
    consents: createConsentRegister(store.tables, clock),
    quotas: createConsentQuotas(store.admissions),
    codes: createCodeRegister(store.tables, clock),
    log: createLog("silent"),
  });
}
