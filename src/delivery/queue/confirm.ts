import type { Log } from "../../kit/log.ts";
import { Unavailable } from "../../kit/trouble.ts";
import type { Spool } from "./spool.ts";

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
