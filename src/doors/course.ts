/** What stands behind every door, and where a mail stands on its way through one. */
import type { Handover, NextHop } from "../delivery/next-hop.ts";
import type { Clock } from "../kit/clock.ts";
import type { Ids } from "../kit/ids.ts";
import type { Log } from "../kit/log.ts";
import type { Windows } from "../kit/store.ts";
import type { Recorder } from "../ledger/recorder.ts";
import type { MailView, Recipient } from "../mail/views.ts";
import type { Pipeline } from "../pipeline/pipeline.ts";
import type { Verdict } from "../pipeline/verdict.ts";
import type { Flights } from "../registers/flights.ts";
import type { Conduct } from "../signals/conduct.ts";
import type { Sealing } from "./sealing.ts";
import type { Signing } from "./signing.ts";

export interface IntakeParts {
  readonly pipeline: Pipeline;
  readonly recorder: Recorder;
  readonly nextHop: NextHop;
  /** Where what rules took goes back. */
  readonly quotas: Pick<Windows, "giveBack">;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly log: Log;
  readonly hostname: string;
  readonly isLocal: (domain: string) => boolean;
  /** Is told what became of each recipient and mail, and may let an answer wait; absent where nothing is to be counted. */
  readonly conduct?: Conduct;
  /** Lets refusals wait for advertising that is being handed over; absent where nothing is handed over. */
  readonly flights?: Pick<Flights, "begin">;
  /** Seals mail that we change; absent where nothing is sealed. */
  readonly sealing?: Sealing | undefined;
  /** Signs mail of our own clients; absent where nothing is signed. */
  readonly signing?: Signing["sign"] | undefined;
  /** Replies name this URL with the mail's id behind it, where what they mean is explained; absent: they name the id. */
  readonly explainAt?: string | undefined;
  /** Most Received fields of a mail; more is a loop. */
  readonly receivedMax: number;
}

/** Where a mail stands. */
export interface Course {
  readonly parts: IntakeParts;
  readonly view: MailView;
  readonly handover: Handover;
  /** What the stages so far said: first the mail stage, then one verdict for each recipient. */
  readonly verdicts: Verdict[];
  readonly recipients: Recipient[];
}

/** What a door knows of the mail besides its content. */
export interface MailFacts {
  /** The id under which the MTA around us knows the mail. */
  readonly queueId?: string;
}
