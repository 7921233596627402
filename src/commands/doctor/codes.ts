/** Management codes that end soon: after their last day of renewal only a new one helps. */
import { Unavailable } from "../../kit/trouble.ts";
import { dayOf } from "../../registers/codes.ts";
import type { Ground } from "../ground.ts";
import { lawOf } from "../law.ts";
import { type Line, warn } from "./line.ts";

/** Twice the time in which a law wants them renewed: a warning while something can still be done. */
export async function codeLines(ground: Ground): Promise<Line[]> {
  const days = Math.max(0, ...lawOf(ground).choice.active.map((pack) => pack.codes?.renewDaysBefore ?? 0));
  if (days === 0) return [];
  try {
    const { codes } = await ground.registers();
    const lastDayMs = ground.clock.now() + days * 86_400_000;
    return (await codes.ending(2 * days)).map(({ code, holder, expiresAtMs }) =>
      expiresAtMs >= lastDayMs
        ? warn(
            `code ${code}`,
            `of ${holder}, ends ${dayOf(expiresAtMs)}`,
            `consentry code renew ${code}, ${days} days before at the latest`,
          )
        : warn(
            `code ${code}`,
            `of ${holder}, ends ${dayOf(expiresAtMs)}`,
            "it is too late to renew it: register a new one",
          ),
    );
  } catch (error) {
    // The line of the store says that it is away.
    if (error instanceof Unavailable) return [];
    throw error;
  }
}
