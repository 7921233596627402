/** Steps that have to be taken, however long the disk takes. */
import type { Log } from "../../kit/log.ts";
import { Unavailable } from "../../kit/trouble.ts";
import type { Settlement, Spool } from "./spool.ts";

const AGAIN_MS = 1_000;

/** Lets the turn of a mail that has arrived come, however long the disk takes. From its entry on a crash leaves what the next start confirms. */
export async function confirmed(
  { spool, log }: { readonly spool: Pick<Spool, "confirm">; readonly log: Log },
  id: string,
): Promise<void> {
  for (let isTold = false; ; isTold = true) {
    try {
      return await spool.confirm({ id });
    } catch (error) {
      if (!isTold) log.error({ err: error, mailId: id }, "a mail is kept, but its turn cannot be written yet");
      if (!(error instanceof Unavailable)) return;
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS).unref());
    }
  }
}

/** A lease that cannot be ended is tried again and again: the mail is delivered, and must not be once more. */
export async function settled(
  { spool, log }: { readonly spool: Pick<Spool, "settle">; readonly log: Log },
  settlement: Settlement,
): Promise<void> {
  for (let isTold = false; ; isTold = true) {
    try {
      return await spool.settle(settlement);
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      if (!isTold)
        log.error({ err: error, mailId: settlement.lease.mail.id }, "the spool cannot be written: trying again");
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS).unref());
    }
  }
}
