/**
 * Everything that can happen to a mail or to what the law makes us remember, as one closed catalogue. docs/ledger.md is
 * checked against it both ways.
 */
export const EVENTS = {
  /** Judged acceptable; written before it leaves our hands. */
  received: "a mail was judged and may go on",
  refused: "a session, sender, recipient or mail was refused for good (5xx)",
  deferred: "an answer was put off (4xx); the sender's server keeps the mail",
  held: "a mail is kept for somebody to look at",
  "handed-over": "the next hop took the mail",
  "consent-granted": "a recipient's yes to an advertiser was recorded",
  "consent-withdrawn": "a recipient's refusal was recorded",
  "client-changed": "a client was added, changed or disabled",
  "config-changed": "a configuration came into force",
  "detector-taught": "the detector of advertising was taught, or made to forget",
  "looked-up": "somebody searched the ledger",
} as const;

export type EventName = keyof typeof EVENTS;
