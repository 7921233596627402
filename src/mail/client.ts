/** What kind of customer relays through us (China arts. 4, 5; Vietnam II.2). */
export const CLIENT_KINDS = [
  "person",
  "isp-customer",
  "advertiser",
  "ad-service",
  "email-provider",
  "sms-provider",
] as const;
export type ClientKind = (typeof CLIENT_KINDS)[number];

/** An account or registered network that may relay. Its id is also its login. */
export interface Client {
  readonly id: string;
  readonly kind: ClientKind;
  /** CIDR ranges it sends from; empty: it must log in, from anywhere. */
  readonly networks: readonly string[];
  /** Domains it may write as sender, lower case; a leading `*.` takes in the subdomains. */
  readonly domains: readonly string[];
  /** Number of its permit or filing (China art. 4), when recorded. */
  readonly licence?: string;
  /** Day of the permit or filing: "2026-03-01". */
  readonly licensedOn?: string;
  /** Last day of it; absent: none was named. */
  readonly licensedUntil?: string;
  /** Management code (Vietnam II), when it holds one. */
  readonly code?: string;
  /** Packs it writes under, unless the recipient's domain says otherwise; absent: those of the listener. */
  readonly packs?: readonly string[];
  /** Addresses registered with an authority for its mail (China art. 6); absent: none. */
  readonly addresses?: readonly SendingAddress[];
  /** What it declared it would send; absent: nothing, and it is not held to anything. */
  readonly campaigns?: readonly Campaign[];
  readonly suspended?: Suspension;
  /** Mails a minute, when bounded. */
  readonly ratePerMinute?: number;
  /** Mails an hour, when bounded. */
  readonly ratePerHour?: number;
  /** Mails a day, when bounded. */
  readonly ratePerDay?: number;
  /** Its mail leaves with a return address of ours for each recipient (VERP), or does not; absent: as the configuration has it. */
  readonly verp?: boolean;
  readonly disabled: boolean;
}

/** One address, or range, that an authority knows as a place mail of this client is sent from. */
export interface SendingAddress {
  /** Address or CIDR range. */
  readonly network: string;
  /** `source`: its own server, from which it comes to us; `egress`: ours, by which its mail leaves. */
  readonly use: "source" | "egress";
  /** Who keeps the register: "MIIT, Guangdong". */
  readonly authority: string;
  /** The day it was reported there. */
  readonly registeredOn: string;
  /** It changes a registration that stood already: laws let more days pass. */
  readonly change?: boolean;
  /** The last day it is used, as reported. */
  readonly endsOn?: string;
}

/** What was said of a campaign before it began: the fields of the Internet Society of China's e-mail marketing specification. */
export interface Campaign {
  readonly name: string;
  /** Addresses it writes as in MAIL FROM, or "@domain" for all of a domain; lower case. */
  readonly senders: readonly string[];
  /** HELO names; empty: any. */
  readonly helo: readonly string[];
  /** Addresses or ranges it comes from; empty: any. */
  readonly networks: readonly string[];
  /** Most recipients, in all. */
  readonly recipientsMax: number;
  /** Most recipients a minute; absent: not declared. */
  readonly perMinuteMax?: number;
  /** From when until when, ms since 1970. */
  readonly fromMs: number;
  readonly untilMs: number;
}

/** A client that may send nothing for a time. */
export interface Suspension {
  /** What the client hears. ASCII. */
  readonly reason: string;
  readonly fromMs: number;
  readonly untilMs: number;
  /** "consentry", or an operator. */
  readonly by: string;
}

/** Clients whose every mail counts as advertising (Order 38 art. 13(2)-(3); Circular 12/2008 III.1). */
export const isAdSender = (client: Client | undefined): boolean =>
  client?.kind === "advertiser" || client?.kind === "ad-service";
