/** What kind of customer relays through us (China arts. 4, 5; Vietnam II.2). */
export const CLIENT_KINDS = ["person", "isp-customer", "advertiser", "ad-service", "email-provider"] as const;
export type ClientKind = (typeof CLIENT_KINDS)[number];

/** An account or registered network that may relay. Its id is also its login. */
export interface Client {
  readonly id: string;
  readonly kind: ClientKind;
  /** CIDR ranges it sends from; empty: it must log in, from anywhere. */
  readonly networks: readonly string[];
  /** Domains it may write as sender, lower case; a leading `*.` takes in the subdomains. */
  readonly domains: readonly string[];
  /** Licence or filing number (China art. 4), when recorded. */
  readonly licence?: string;
  /** Management code (Vietnam II), when it holds one. */
  readonly code?: string;
  /** Packs it writes under, unless the recipient's domain says otherwise; absent: those of the listener. */
  readonly packs?: readonly string[];
  /** Mails a minute, when bounded. */
  readonly ratePerMinute?: number;
  /** Mails an hour, when bounded. */
  readonly ratePerHour?: number;
  /** Mails a day, when bounded. */
  readonly ratePerDay?: number;
  readonly disabled: boolean;
}

/** Clients whose every mail counts as advertising (Order 38 art. 13(2)-(3); Circular 12/2008 III.1). */
export const isAdSender = (client: Client | undefined): boolean =>
  client?.kind === "advertiser" || client?.kind === "ad-service";
