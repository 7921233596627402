import type { Parcel } from "../next-hop.ts";
import type { Hold, OwnMail, QueuedMail, QueuedRecipient } from "./queued.ts";

/**
 * Where mail in our custody lies, as the queue asks for it; src/stores/spool is the one that is. Several processes of one machine share it.
 * What resolves is on disk. docs/queue.md has the states, what a crash leaves in each, and who cleans.
 */
export interface Spool {
  /** No room for another mail now, and why: the disk is down to its reserve. Costs nothing to ask. */
  full(): string | undefined;
  /** Keeps mail and content, not yet to be tried. @throws Unavailable("disk") */
  arrive(mail: NewMail, content: Parcel): Promise<void>;
  /** Its entry is on disk, too: its turn may come. Nothing happens where it is not arriving any more. */
  confirm(mail: Pick<QueuedMail, "id">): Promise<void>;
  /**
   * Mails whose entries are on disk and that are tried at once: they go into no index and stay `arriving` until they are settled, kept
   * or confirmed, one of which their taker owes them. Of one destination each. @returns those that need not wait for their turn
   */
  fresh(ids: readonly string[]): Promise<Lease[]>;
  /** A fresh lease that lasts becomes one like the others, which operators see. */
  keep(lease: Lease): Promise<void>;
  /** Nothing was promised of it. */
  forget(id: string): Promise<void>;
  /** Leases what is due, fairly among the destinations. Never more than `max` mails. */
  take(ask: Ask): Promise<Lease[]>;
  /** Leases mails whose time is over: to tell of a delay, to give up, to end a hold. */
  takeLate(ask: Omit<Ask, "room">): Promise<Lease[]>;
  /** What became of leased mails; one step for each, reports included. */
  settle(settlement: Settlement): Promise<void>;
  /** Leaves a destination alone for a time, or (with 0 failures) takes it up again. */
  setBackoff(destination: string, backoff: Backoff): Promise<void>;
  /** Absent: it answered last. */
  backoff(destination: string): Promise<Backoff | undefined>;
  /** The content of a mail. @throws Unavailable("disk") when it is gone or cannot be read */
  content(mail: QueuedMail): Promise<Parcel>;
  /** When a destination's turn comes next, and when a mail is to be looked at though nothing is due; ms since 1970. */
  nextAt(): Promise<{ readonly due?: number; readonly late?: number }>;
  close(): Promise<void>;
}

/** What operators do; each step tells what it found. */
export interface SpoolDesk {
  /** One mail as it stands. */
  find(id: string): Promise<Listed | undefined>;
  /** Streams what matches, oldest first. */
  list(filter: Filter): AsyncIterable<Listed>;
  /** Destinations that have mail or a state of their own, with numbers. */
  destinations(): AsyncIterable<DestinationState>;
  /** Tries it as soon as may be. @returns false when there is nothing to try */
  retry(id: string): Promise<boolean>;
  /** Forgets the recipients that wait. @returns the mail as it was */
  drop(id: string): Promise<QueuedMail | undefined>;
  /** Keeps it from being tried. @returns the mail, unless it was held already or is gone */
  hold(id: string, hold: Hold): Promise<QueuedMail | undefined>;
  /** Lets it go. @returns the mail as it was held, unless it was not */
  release(id: string, nowMs: number): Promise<QueuedMail | undefined>;
  /** Leaves a destination or a client alone until it is resumed. @returns false when it was so before */
  suspend(whom: Whom, suspension: Suspension): Promise<boolean>;
  resume(whom: Whom): Promise<boolean>;
  content(mail: QueuedMail): Promise<Parcel>;
  close(): Promise<void>;
}

/** A mail to be kept. `destinations` are those of its recipients, in their order. */
export interface NewMail extends QueuedMail {
  readonly destinations: readonly string[];
  /** The first time it is looked at though it is not due. */
  readonly lateAt: number;
}

export interface Ask {
  readonly nowMs: number;
  readonly max: number;
  /** Most mails that a destination may be given now. */
  readonly room: (destination: string) => number;
}

/** A mail that is ours for a while. */
export interface Lease {
  readonly mail: QueuedMail;
  /** Whose turn it was; where a suspended client's mail waits this is no destination of a carrier. */
  readonly turn: string;
  /** Places in `mail.recipients` of those that are due. */
  readonly due: readonly number[];
  /** Recipients that failed and whose sender does not know yet. */
  readonly untold: readonly number[];
  /** The sender knows of the delay. */
  readonly isDelayTold: boolean;
  /** From `fresh`. */
  readonly isFresh?: true;
}

export interface Settlement {
  readonly lease: Lease;
  /** New states, by their place in `mail.recipients`; one that an operator dropped meanwhile stays so. */
  readonly changes: ReadonlyMap<number, Change>;
  /** When to look again though nothing is due; absent: as before. */
  readonly lateAt?: number;
  readonly isDelayTold?: boolean;
  /** The hold is over: what waits has expired. */
  readonly endsHold?: boolean;
  /** Reports that go into the queue in the same step. */
  readonly reports: readonly { readonly mail: NewMail; readonly own: OwnMail }[];
}

export interface Change {
  readonly recipient: QueuedRecipient;
  readonly destination: string;
  /** The sender has been told, or is not to be. */
  readonly isTold: boolean;
}

export interface Backoff {
  readonly failures: number;
  readonly untilMs: number;
  /** The words of the last failure. */
  readonly last?: string;
}

export type MailState = "arriving" | "queued" | "leased" | "deferred" | "held";

export interface Listed {
  readonly mail: QueuedMail;
  readonly state: MailState;
  readonly destinations: readonly string[];
}

export interface Filter {
  readonly state?: MailState;
  readonly destination?: string;
  readonly client?: string;
  /** Part of the sender's address, lower case. */
  readonly sender?: string;
  /** Part of a recipient's. */
  readonly recipient?: string;
  /** Arrived before. */
  readonly beforeMs?: number;
  readonly limit?: number;
}

export interface DestinationState {
  readonly destination: string;
  /** Mails that wait for their turn; not those that are being tried. */
  readonly mails: number;
  readonly nextAt?: number;
  readonly failures: number;
  readonly untilMs?: number;
  readonly last?: string;
  readonly suspended?: Suspension;
}

export type Whom = { readonly destination: string } | { readonly client: string };

export interface Suspension {
  readonly by: string;
  readonly since: number;
  readonly reason?: string;
}
