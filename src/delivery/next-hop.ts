import type { HeaderChanges } from "../mail/edits.ts";
import type { Reply } from "../mail/replies.ts";
import type { Recipient, Sender, Session } from "../mail/views.ts";

/** What is handed over: our trace headers, then the mail's own bytes with nothing changed but what its edits name. */
export interface Parcel {
  /** Complete header lines, CRLF ended, that go in front. */
  readonly front: Buffer;
  /** Of the front and the mail together. */
  readonly bytes: number;
  /** The mail after our edits, in order; no dot-stuffing. */
  read(): AsyncIterable<Buffer>;
  /** The same in one piece, when it is in memory. */
  readonly whole?: Buffer;
  /** Whose advertisement it is, where it rests on consents: whoever keeps it asks for them again before he hands it on. */
  readonly advertiser?: string;
  /** The sender's domain vouches for the mail: who keeps it may tell its sender by a mail what becomes of it. */
  readonly isProven?: true;
  /** What is changed in the header block; for next hops that have the mail already and edit it. */
  readonly changes: Pick<HeaderChanges, "fields" | "additions">;
}

/** What the next hop said at the end: one reply for the mail (SMTP), or one for each recipient (LMTP). */
export interface Outcome {
  /** In the order of the recipients it accepted. */
  readonly replies: readonly Reply[];
  /** Address of the server that answered, when there is one. */
  readonly nextHopIp?: string;
  /** The mail is in our own custody now: it has gone to nobody yet. */
  readonly isQueued?: true;
}

/**
 * One mail on its way to the next hop, asked step by step while our own client waits. Every method is bounded by
 * `nextHop.timeoutMs` and throws Unavailable("next-hop") when nobody answers. After `data` or `abort` it is over.
 */
export interface Handover {
  /** Asks for one recipient (the first call also says who is sending); the reply is what our client hears. */
  rcpt(recipient: Recipient): Promise<Reply>;
  /**
   * Sends the mail to the recipients accepted so far. `ready` is awaited before the final dot: until it resolves
   * nothing is in the next hop's hands, and when it throws, the mail is not delivered.
   */
  data(parcel: Parcel, ready: Promise<unknown>): Promise<Outcome>;
  /** Gives up; the next hop keeps nothing. Never throws. */
  abort(): void;
  /**
   * It answers for each recipient at the end (LMTP). SMTP has one answer for all, so an SMTP client is given one recipient a
   * mail: a mixed answer would lose a mail or send it twice.
   */
  readonly answersEach?: boolean;
  /**
   * Leaves out a recipient that was accepted before. Absent where the next hop cannot: SMTP has one answer for all.
   * @param why what the client would have heard, for who tells him otherwise
   */
  drop?(recipient: Recipient, why: Reply): void;
  /** Asks the next hop to keep the mail for somebody to look at. Absent where it cannot. */
  hold?(reason: string, by: HeldBy): void;
}

/** Which rule wants a mail looked at, and the article it rests on. */
export interface HeldBy {
  readonly rule: string;
  readonly source: string;
}

/** Where accepted mail goes: a server or Maildir that answers while our client waits, or the queue. Built by custody.ts from `nextHop`. */
export interface NextHop {
  /** Names it in ledger and log: "smtp://127.0.0.1:10025", "maildir:/var/mail". */
  readonly name: string;
  /** What it says to MAIL when it can take none now; absent where only the next server knows. Costs nothing to ask. */
  full?(): Reply | undefined;
  /** Starts one mail. Nothing is connected before the first recipient. */
  begin(session: Session, sender: Sender, mailId: string): Handover;
  /** A cheap check that it is there. @throws Unavailable */
  ping(): Promise<void>;
  /** Lets running handovers finish, at most `graceMs`, then closes kept connections. */
  close(graceMs: number): Promise<void>;
}
