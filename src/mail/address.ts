/**
 * A mailbox as SMTP knows it (RFC 5321 4.1.2). Parsed once at the door; nothing deeper takes a raw string.
 */
export interface Address {
  /** As written, quotes removed. Case is kept: only the destination may say that it does not matter. */
  readonly local: string;
  /** Lower case, A-labels for IDN; an address literal keeps its brackets. Empty for a bare `postmaster`. */
  readonly domain: string;
  /** `local@domain` in a form that parses back to the same address. */
  readonly text: string;
  /** The key under which registers and counters know it: lower case throughout. */
  readonly key: string;
}
