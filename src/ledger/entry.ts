import type { DoorName } from "../mail/views.ts";
import type { EventName } from "./events.ts";

/**
 * One line of the ledger: what happened, when, between whom; one entry for each recipient of a mail. Order 38 art. 10 asks
 * for time, sender's and recipient's address and IP address; the rest makes it answerable. No subject, no body, no file
 * name ever (arts. 3, 9).
 */
export interface Entry {
  /** Unique over all nodes, sorts by time. */
  readonly id: string;
  /** Milliseconds since the epoch, UTC. */
  readonly at: number;
  readonly event: EventName;
  /** Ties the entries of one mail together; it is what the 250 and the Received line name. */
  readonly mailId?: string;
  /** The id under which the MTA around us knows the mail (milter). */
  readonly queueId?: string;
  readonly sessionId?: string;
  readonly door?: DoorName;
  /** `in`: for a local domain; `out`: for anybody else. */
  readonly direction?: "in" | "out";
  /** MAIL FROM; empty for the null reverse-path. */
  readonly sender?: string;
  readonly recipient?: string;
  readonly clientIp?: string;
  readonly clientPort?: number;
  readonly serverIp?: string;
  readonly nextHopIp?: string;
  readonly helo?: string;
  readonly login?: string;
  /** Id of the registered client. */
  readonly client?: string;
  /** The Message-ID header. */
  readonly messageId?: string;
  readonly sizeBytes?: number;
  readonly tls?: string;
  readonly verdict?: "accept" | "hold" | "defer" | "reject";
  /** Rules that said more than pass or skip; watched ones carry a leading "~". */
  readonly rules?: readonly string[];
  /** Articles and RFC sections they named. */
  readonly articles?: readonly string[];
  /** pack@version of the packs in whose name they spoke. */
  readonly packs?: readonly string[];
  /** What the client, or the next hop, said in words. */
  readonly reply?: string;
  /** What the rules saw, as small facts. */
  readonly evidence?: Readonly<Record<string, string | number | boolean>>;
  /** Who did it, for what people do at the console or command line. */
  readonly actor?: string;
  /** Absent while the clock is in step; within a minute after it was set, how. */
  readonly clock?: "set-forward" | "set-back";
}
