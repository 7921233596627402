import type { Reply } from "../../mail/replies.ts";
import type { Recipient, Sender, Session } from "../../mail/views.ts";
import type { Parcel } from "../next-hop.ts";

/**
 * A mail in our custody, and what the rooms of the queue say to each other about it: the spool keeps it (spool.ts), the
 * runner decides when it is tried (runner.ts), a carrier tries it once (carrier.ts), a report tells its sender (reports/).
 */
export interface QueuedMail {
  /** The mail's id, as the client heard it in the 250. */
  readonly id: string;
  /** When custody was taken, ms since 1970, UTC. */
  readonly arrivedAt: number;
  /** When we give up, ms since 1970 (RFC 5321 4.5.4.1: at least 4 to 5 days after it came). */
  readonly expiresAt: number;
  /** Who brought it: for XFORWARD, limits, entries and bounces. Of the client only the id is kept. */
  readonly session: Omit<Session, "client"> & { readonly clientId?: string };
  readonly sender: Sender;
  /** Of the content as it is handed over. */
  readonly bytes: number;
  /** Whose advertisement it is, where it is one: consent is asked again before each attempt. */
  readonly advertiser?: string;
  readonly recipients: readonly QueuedRecipient[];
  /** It is known who sent it, though he is no client of ours (SPF or DKIM of the sender's domain): he may get reports. */
  readonly isProven?: true;
  /** Each recipient's copy goes alone, with a return address that tells whose it is (verp.ts). */
  readonly verp?: true;
  /** A report of ours: whatever becomes of it, nobody is told. */
  readonly isReport?: true;
  /** Set: nothing is tried before somebody releases it. */
  readonly hold?: Hold;
}

/** How it stands with one recipient. */
export interface QueuedRecipient {
  readonly recipient: Recipient;
  readonly state: "waiting" | "delivered" | "failed" | "expired" | "dropped";
  readonly attempts: number;
  /** Not tried before, ms since 1970. */
  readonly nextAt: number;
  /** What was said last, and by whom. */
  readonly last?: Attempt;
}

/** Why a mail is kept, who says so, and until when (Circular 12/2008 V.1.2c: at least 7 days). */
export interface Hold {
  readonly reason: string;
  /** The rule, "group/name"; absent where an operator did it. */
  readonly rule?: string;
  /** Its article. */
  readonly source?: string;
  /** Login of the operator who did it. */
  readonly by?: string;
  readonly since: number;
  /** Expires then, ms since 1970. */
  readonly until: number;
}

/** What became of one recipient in one attempt. */
export interface Attempt {
  /** delivered: the next server took it; later: try again; failed: never again. */
  readonly kind: "delivered" | "later" | "failed";
  /** The next server's words, or ours where none answered. */
  readonly reply: Reply;
  /** Whom it concerns: a `destination` that is away is left alone for all its mails. */
  readonly scope: "recipient" | "mail" | "destination";
  /** When, ms since 1970. */
  readonly at: number;
  /** The server's name and address, when one answered. */
  readonly server?: string;
  readonly serverIp?: string;
  /** That server took over what the sender asked to be told (RFC 3461); else we tell that we relayed it, or that it arrived. */
  readonly tellsSender?: true;
  /** It is in the mailbox (a Maildir, LMTP): nobody further on will say more of it. */
  readonly isFinal?: true;
  /** The server said for good what is about our address and not about the mail: the operator has to do something. */
  readonly isBlock?: true;
}

/** Tries a mail once. Bounded; never throws for what the world does: that is an `Attempt` of kind `later`. */
export interface Carrier {
  /** What mails with the same key share: connections, rate, back-off. A domain, or a smart host. */
  destinationOf(mail: QueuedMail, recipient: Recipient): string;
  /** @param recipients all of one destination. @returns one attempt for each, in their order */
  attempt(mail: QueuedMail, recipients: readonly Recipient[], parcel: Parcel): Promise<readonly Attempt[]>;
  /** Most attempts at a time for this destination; absent: as many as there may be in all. */
  widthOf?(destination: string): number;
  /** Lets attempts end, at most `graceMs`. */
  close(graceMs: number): Promise<void>;
}

/** What a mail's sender is told by a mail (RFC 3464): it failed, it is late, or (asked for) it arrived. */
export interface Report {
  readonly kind: "failed" | "delayed" | "delivered" | "relayed" | "expired";
  readonly mail: QueuedMail;
  readonly recipients: readonly QueuedRecipient[];
  /** The header block of the mail, or all of it (RET=FULL, within a bound). */
  readonly original: Buffer;
  readonly isWhole: boolean;
}

/** Writes reports. Whether one is sent at all (null sender, sender not known, a report) is settled before it is asked. */
export interface Reporter {
  /** @returns the mail, sent with the null reverse-path; undefined: the sender asked not to be told (NOTIFY) */
  compose(report: Report): Promise<OwnMail | undefined>;
}

/** A mail that we write ourselves: header block and body, lines ended by CRLF. */
export interface OwnMail {
  readonly recipient: Recipient;
  readonly text: Buffer;
  readonly eightBit: boolean;
  readonly smtpUtf8: boolean;
}

/** Looks again at mail that waits: consent may have been withdrawn, hours and caps may have changed. */
export interface Gate {
  /** Asked when a mail's turn comes, before each attempt. @returns one answer for each recipient. @throws Unavailable: it waits */
  mayGo(mail: QueuedMail, recipients: readonly Recipient[]): Promise<readonly Permission[]>;
  /** Told what became of them, to count what was delivered and what bounced. Never throws. */
  ended(mail: QueuedMail, recipients: readonly Recipient[], attempts: readonly Attempt[]): Promise<void>;
}

export type Permission =
  | { readonly kind: "go" }
  /** Not before `untilMs`, ms since 1970; no attempt is counted. */
  | { readonly kind: "wait"; readonly untilMs: number; readonly reply: Reply }
  /** Never: it fails with this reply, in the name of a rule and its article. */
  | { readonly kind: "never"; readonly reply: Reply; readonly rule?: string; readonly source?: string };
