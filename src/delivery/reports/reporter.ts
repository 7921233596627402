import type { Clock } from "../../kit/clock.ts";
import type { Ids } from "../../kit/ids.ts";
import type { Language } from "../../mail/language.ts";
import type { Recipient } from "../../mail/views.ts";
import type { QueuedMail, Report, Reporter } from "../queue/queued.ts";
import { composeReport } from "./compose.ts";

export interface ReporterParts {
  readonly hostname: () => string;
  /** Address that reports are from. */
  readonly from: () => string;
  /** In which languages the sender of this mail is told. */
  languagesFor(mail: QueuedMail): Promise<readonly [Language, ...Language[]]>;
  readonly ids: Pick<Ids, "next">;
  readonly clock: Clock;
  /** Signs what is written, as it leaves; absent: nothing is signed. */
  sign?(text: Buffer): Promise<Buffer>;
}

/** Writes the reports that somebody wants. */
export function createReporter({ hostname, from, languagesFor, ids, clock, sign }: ReporterParts): Reporter {
  return {
    async compose(report) {
      const { mail, kind } = report;
      const { address } = mail.sender;
      const recipients = report.recipients.filter(({ recipient }) => wants(recipient, kind));
      // RFC 5321 4.5.5: nothing is ever sent because of what came from nobody.
      if (address === null || recipients.length === 0) return undefined;
      const languages = await languagesFor(mail);
      const composed = composeReport(
        { ...report, recipients },
        { hostname: hostname(), from: from(), languages, nowMs: clock.now(), id: ids.next() },
      );
      const text = (await sign?.(composed.text)) ?? composed.text;
      return { recipient: { address }, ...composed, text };
    },
  };
}

const ASKED: Readonly<Record<Report["kind"], string>> = {
  failed: "FAILURE",
  expired: "FAILURE",
  delayed: "DELAY",
  delivered: "SUCCESS",
  relayed: "SUCCESS",
};

/** Does the sender want to hear that of this recipient? Without NOTIFY of failure and delay, not of success (RFC 3461 4.1). */
export function wants({ notify }: Recipient, kind: Report["kind"]): boolean {
  if (notify === undefined || notify.length === 0) return kind !== "delivered" && kind !== "relayed";
  const asked = notify.map((word) => word.toUpperCase());
  return !asked.includes("NEVER") && asked.includes(ASKED[kind]);
}
