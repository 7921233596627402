import type { Reply } from "../../mail/replies.ts";
import type { EditKind, Edits } from "./edits.ts";
import type { Macros } from "./macros.ts";
import type { ConnectInfo } from "./payload.ts";

/**
 * What the floor above supplies: one handler for each SMTP session, told step by step what happens, answering what shall
 * become of it. Words here are those of mail, not of frames.
 */

/**
 * - `continue`: go on; at the end of the mail: accept it, with the edits asked for
 * - `accept`: take the rest unseen, the mail (from MAIL on) or the whole session (before)
 * - `reject`, `tempfail`: refuse in the MTA's own words; at RCPT only this recipient
 * - a `Reply` (4xx or 5xx): refuse in ours
 * - `discard`: accept and throw away
 * - `shutdown`: 421, the SMTP session ends
 * - `connection-fail`: no answer to be had here; the MTA does what it is configured to do without this filter
 * - `skip`: no more pieces of this body, but tell me when the mail is complete
 */
export type SessionAnswer = "continue" | "accept" | "reject" | "tempfail" | "shutdown" | "connection-fail" | Reply;
export type MailAnswer = SessionAnswer | "discard";
export type BodyAnswer = MailAnswer | "skip";
export type Answer = BodyAnswer;

type Soon<T> = T | Promise<T>;

/**
 * Steps of one SMTP session, in the order of the protocol, never two at a time. A throw or a late answer counts as 451
 * for the step and everything after it in that mail. Envelope strings are text (UTF-8); headers are one character a
 * byte (latin1), so that nothing is lost.
 */
export interface MilterHandler {
  connect(info: ConnectInfo, macros: Macros): Soon<SessionAnswer>;
  /** HELO or EHLO; comes again after STARTTLS. */
  helo(name: string, macros: Macros): Soon<SessionAnswer>;
  /** @param args the path as the client wrote it, as a rule in angle brackets, then the ESMTP parameters */
  mail(args: readonly string[], macros: Macros): Soon<MailAnswer>;
  /** @param args as for `mail`. With `rejectedRecipients`, the macro rcpt_mailer is `error` when the MTA refuses it. */
  rcpt(args: readonly string[], macros: Macros): Soon<MailAnswer>;
  data(macros: Macros): Soon<MailAnswer>;
  /** @param value all after the colon, leading blank and CRLF folds included, without the last CRLF */
  header(name: string, value: string, macros: Macros): Soon<MailAnswer>;
  endOfHeaders(macros: Macros): Soon<MailAnswer>;
  /** @param chunk at most 65,535 bytes as a rule, CRLF lines, cut anywhere; the handler may keep it */
  body(chunk: Buffer, macros: Macros): Soon<BodyAnswer>;
  /** The mail is complete. Edits reach the MTA together with `continue` or `accept`, else not at all. */
  endOfMessage(edits: Edits, macros: Macros): Soon<MailAnswer>;
  /** An SMTP command that the MTA does not know. */
  unknown(command: string, macros: Macros): Soon<SessionAnswer>;
  /**
   * The mail in progress came to nothing by no answer of this handler: reset, next MAIL, a fault, a peer gone (also when
   * it left before the last answer could be sent). Must not wait.
   */
  abort(): void;
  /** The SMTP session is over; nothing follows. Must not wait. */
  close(): void;
}

/** What was agreed with the MTA. */
export interface MilterPeer {
  /** Protocol version, 2 to 6. */
  readonly version: number;
  /** Edits the MTA lets us make; the others throw. */
  readonly edits: ReadonlySet<EditKind>;
}

export type NewHandler = (peer: MilterPeer) => MilterHandler;

/** Something is wrong with a peer, with a handler, or with neither; for log and metrics. Carries no mail data. */
export interface MilterFault {
  /** `handler`: threw or gave no answer in time; `peer`: broke the protocol; `bound`: a limit of ours was met. */
  readonly kind: "handler" | "peer" | "bound";
  readonly during: string;
  readonly error: unknown;
}
