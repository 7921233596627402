/**
 * Everything that can happen to a mail or to what the law makes us remember, as one closed catalogue. docs/reference/ledger.md is
 * checked against it both ways.
 */
export const EVENTS = {
  /** Judged acceptable; written before it leaves our hands. */
  received: "a mail was judged and may go on",
  refused: "a session, sender, recipient or mail was refused for good (5xx)",
  deferred: "an answer was put off (4xx); the sender's server keeps the mail",
  held: "a mail is kept for somebody to look at",
  "handed-over": "the next hop took the mail",
  delayed: "a mail in the queue was not taken yet; it is tried again",
  bounced: "a queued mail was refused for good by next hop or rule, or came back to its return address",
  expired: "a mail in the queue, or held, came to the end of its time",
  released: "a held mail was let go",
  dropped: "an operator took a mail out of the queue",
  "queue-changed": "an operator had a mail tried at once, or suspended or resumed a destination or a client",
  reported: "a report to a mail's sender was put in the queue",
  "consent-granted": "a recipient's yes to an advertiser was recorded",
  "consent-withdrawn": "a recipient's refusal was recorded",
  "consent-requested": "a recipient was asked whether he agrees to advertising",
  "notice-sent": "a mail of our own, a confirmation or a request, was handed to the next hop, or could not be",
  "client-changed": "a client was added, changed or disabled",
  "complaints-counted": "reports of spam about a client's mail were counted",
  "ad-archive-read": "somebody read, or exported, kept copies of advertisements under a case number",
  "ad-archive-deleted": "kept copies of advertisements of a day were deleted because their time was over",
  "key-changed": "a key that signs mail (DKIM) was made or removed",
  "code-changed": "a management code was issued, renewed, changed, revoked or taken from a list",
  "block-added": "somebody was blocked, by us or by an operator",
  "block-removed": "a block was ended before its time",
  "config-changed": "a configuration came into force",
  "detector-taught": "the detector of advertising was taught, or made to forget",
  "looked-up": "somebody began to search the ledger",
  "look-up-ended": "how many entries that search showed",
  "day-sealed": "a day of the archive was closed and signed",
  "day-deleted": "a day of the archive was deleted because its time was over",
  "clock-doubted": "days are due by a clock that jumped; none is deleted until somebody confirms it",
  "clock-confirmed": "somebody said that the clock is right after it had jumped",
  "hold-set": "a legal hold began: days it covers are not deleted",
  "hold-released": "a legal hold ended",
  "request-opened": "an authority's request for entries was written down",
  "request-approved": "a second person approved a request",
  "request-exported": "what a request asks for was exported and sealed",
} as const;

export type EventName = keyof typeof EVENTS;
