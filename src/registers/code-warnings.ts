import type { Log } from "../kit/log.ts";
import type { Pack } from "../law/pack.ts";
import { type CodeRegister, dayOf } from "./codes.ts";

/** At the start and every day: which codes end within the time in which a law wants them renewed. */
export async function warnOfCodes(codes: CodeRegister, active: readonly Pack[], log: Log): Promise<void> {
  const days = Math.max(0, ...active.map((pack) => pack.codes?.renewDaysBefore ?? 0));
  if (days === 0) return;
  try {
    for (const { code, holder, expiresAtMs } of await codes.ending(days)) {
      log.warn({ code, holder, expires: dayOf(expiresAtMs) }, `a management code ends within ${days} days`);
    }
  } catch (error) {
    log.warn({ err: error }, "management codes could not be looked through");
  }
}
