import type { Address } from "./address.ts";
import type { Client } from "./client.ts";
import type { Content } from "./content.ts";
import type { Headers } from "./headers.ts";

/**
 * What is known of a mail at each stage, and nothing more: a recipient rule that reaches for the body does not
 * compile. All views are read-only values; doors fill them, rules look at them.
 */
export const STAGES = ["connect", "helo", "mail", "rcpt", "header", "body", "handover"] as const;
export type Stage = (typeof STAGES)[number];

export type DoorName = "smtp" | "submission" | "milter" | "http" | "check";

/** One connection. */
export interface Session {
  readonly id: string;
  readonly door: DoorName;
  /** `mx`: mail from the world; `submission`: only from clients. */
  readonly role: "mx" | "submission";
  readonly clientIp: string;
  readonly clientPort: number;
  readonly serverIp: string;
  readonly serverPort: number;
  /** HELO or EHLO argument, lower case; absent before it was said. */
  readonly helo?: string;
  /** TLS version and cipher, when encrypted. */
  readonly tls?: string;
  /** Authenticated name, when there was one. */
  readonly login?: string;
  /** The client behind login or network; absent for strangers. */
  readonly client?: Client;
  /** The address is one of `relayNetworks`. */
  readonly inRelayNetworks: boolean;
  /** Packs that the listener names for what comes in by it; absent: those of the configuration. */
  readonly packs?: readonly string[];
}

/** Of our own: a client, or a host of `relayNetworks`. Everybody else is a stranger. */
export const isOwn = (session: Session): boolean => session.client !== undefined || session.inRelayNetworks;

/** MAIL FROM with its parameters (RFC 5321, 1870, 6152, 6531, 3461, 8689). */
export interface Sender {
  /** null: the null reverse-path of bounces. */
  readonly address: Address | null;
  readonly sizeBytes?: number;
  readonly eightBit: boolean;
  readonly smtpUtf8: boolean;
  readonly requireTls: boolean;
  readonly ret?: "FULL" | "HDRS";
  readonly envid?: string;
}

/** RCPT TO with its parameters (RFC 3461). */
export interface Recipient {
  readonly address: Address;
  readonly notify?: readonly string[];
  readonly orcpt?: string;
  /** Set when the path had a source route before the mailbox (RFC 5321 appendix C). */
  readonly sourceRoute?: string;
}

export interface ConnectView {
  readonly session: Session;
}

export interface MailView extends ConnectView {
  readonly mailId: string;
  readonly sender: Sender;
}

export interface RcptView extends MailView {
  readonly recipient: Recipient;
}

export interface HeaderView extends MailView {
  readonly recipients: readonly Recipient[];
  readonly headers: Headers;
}

export interface BodyView extends HeaderView {
  readonly content: Content;
}

/** Right before the mail leaves our hands: reached only by mail that rests on what people may take back. */
export interface HandoverView extends HeaderView {
  readonly reliances: readonly Reliance[];
}

/** Recipients who may have a mail only as long as their word to its advertiser stands. */
export interface Reliance {
  readonly advertiser: string;
  readonly recipients: readonly Recipient[];
  /** Ids of the packs that bind the advertiser to it. */
  readonly packs: readonly string[];
}

export interface Views {
  readonly connect: ConnectView;
  readonly helo: ConnectView;
  readonly mail: MailView;
  readonly rcpt: RcptView;
  readonly header: HeaderView;
  readonly body: BodyView;
  readonly handover: HandoverView;
}
