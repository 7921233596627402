/** What an attempt says of its destination: left alone when it does not answer, taken up again with the first sign of life. */
import type { Log } from "../../kit/log.ts";
import type { Attempt } from "./queued.ts";
import { type Times, waitMs } from "./schedule.ts";
import type { Spool } from "./spool.ts";

export interface AwayParts {
  readonly spool: Pick<Spool, "backoff" | "setBackoff">;
  readonly log: Log;
  readonly now: () => number;
  readonly times: () => Times;
  /** A server blocks the address we come from. */
  readonly onBlock?: () => void;
}

/** A destination that does not answer is left alone, for all its mails; the first sign of life ends that. */
export async function noteDestination(parts: AwayParts, name: string, away: Attempt | undefined): Promise<void> {
  const { spool, now, times } = parts;
  const before = await spool.backoff(name);
  if (!away) return before && spool.setBackoff(name, { failures: 0, untilMs: 0 });
  // Mails that were under way together fail together: that is one failure.
  if (before && before.untilMs > now()) return;
  if (away.isBlock) tellOfBlock(parts, name, away);
  const failures = (before?.failures ?? 0) + 1;
  const { destinationRetrySeconds, jitter } = times();
  const untilMs = now() + waitMs(destinationRetrySeconds, failures, jitter);
  await spool.setBackoff(name, { failures, untilMs, last: away.reply.lines.join(" / ") });
}

/** Nothing sender or recipient could mend: its mails wait, so that the operator has days to have the block removed. */
function tellOfBlock({ log, onBlock }: AwayParts, destination: string, { server, serverIp, reply }: Attempt): void {
  const { code, enhanced } = reply;
  log.error(
    { destination, server, serverIp, code, enhanced },
    "a server blocks our address: all mail for it waits; `consentry queue destinations` has its words",
  );
  onBlock?.();
}
