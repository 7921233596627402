import type { Reply } from "../../mail/replies.ts";

/**
 * What we say of an attempt ourselves, where no server said anything or what it said is no answer. It stands in the queue's
 * list, in entries and in reports, so it names no address.
 */
const words = (code: number, enhanced: string, line: string): Reply => ({ code, enhanced, lines: [line] });

export const OWN_WORDS = {
  /** RFC 7505 section 4.2. */
  "null-mx": words(556, "5.1.10", "the domain takes no mail (null MX)"),
  "no-domain": words(550, "5.1.2", "there is no such domain"),
  "no-address": words(550, "5.4.4", "the domain has no mail server with an address"),
  /** RFC 5321 5.1: our own name in the list ends it. */
  "own-mx": words(554, "5.4.6", "the mail would come back to us: the domain's mail server is this one"),
  "dns-away": words(451, "4.4.3", "DNS gave no answer about the domain"),
  "not-connected": words(451, "4.4.1", "no connection to the mail server"),
  silent: words(451, "4.4.2", "the mail server did not answer in time"),
  hung: words(451, "4.4.2", "the mail server ended the talk"),
  nonsense: words(451, "4.5.0", "what the mail server says is not SMTP"),
  "tls-missing": words(451, "4.7.4", "TLS is required towards this domain, and its server does not offer it"),
  "tls-broken": words(451, "4.7.5", "TLS with the mail server failed"),
  "sts-host": words(451, "4.7.5", "no mail server of the domain is one that its MTA-STS policy names"),
  "requiretls-mx": words(
    550,
    "5.7.30",
    "REQUIRETLS: nothing proves which servers are the domain's (no MTA-STS policy)",
  ),
  "no-egress": words(451, "4.3.5", "none of the addresses this mail may leave from can reach the mail server"),
  busy: words(451, "4.3.2", "as many connections are open as may be"),
  "no-mailbox-room": words(451, "4.3.0", "the mailbox could not be written"),
  unread: words(451, "4.3.0", "the mail could not be read from our own disk"),
  "long-line": words(554, "5.6.0", "a line of the mail is longer than the 998 octets SMTP allows (RFC 5321 4.5.3.1.6)"),
  "bare-newline": words(554, "5.6.0", "the mail holds a CR or LF that is no line end (RFC 5321 2.3.8)"),
  /** RFC 6152 section 3. */
  "eight-bit": words(554, "5.6.3", "the mail holds 8-bit text and the next server takes none (8BITMIME)"),
} as const satisfies Readonly<Record<string, Reply>>;

export type OwnWord = keyof typeof OWN_WORDS;

const BY_TEXT: ReadonlyMap<string, OwnWord> = new Map(
  Object.entries(OWN_WORDS).map(([word, { lines }]) => [lines.join(" "), word as OwnWord]),
);

/** Which of our own words a reply is, also after it was written down and read again; undefined: somebody else's. */
export const ownWordOf = ({ lines }: Reply): OwnWord | undefined =>
  lines.length === 1 ? BY_TEXT.get(lines[0] ?? "") : undefined;
export const isOwnWord = (reply: Reply): boolean => ownWordOf(reply) !== undefined;
