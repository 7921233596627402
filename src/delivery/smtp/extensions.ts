/** What the next hop offered in its answer to EHLO or LHLO. */
export interface Extensions {
  /** RFC 2920. */
  readonly pipelining: boolean;
  /** RFC 1870. */
  readonly size: boolean;
  /** RFC 6152. */
  readonly eightBit: boolean;
  /** RFC 6531. */
  readonly smtpUtf8: boolean;
  /** RFC 3461. */
  readonly dsn: boolean;
  /** RFC 8689. */
  readonly requireTls: boolean;
  /** RFC 3207. */
  readonly startTls: boolean;
  /** Mechanisms, upper case (RFC 4954). */
  readonly auth: readonly string[];
  /** Attributes that Postfix' XFORWARD takes, upper case. */
  readonly xforward: readonly string[];
}

/** @param lines of the reply to EHLO; the first is the server's name. None: a server that only knows HELO. */
export function readExtensions(lines: readonly string[]): Extensions {
  const offered = new Map<string, readonly string[]>();
  for (const line of lines.slice(1)) {
    const [keyword = "", ...words] = line.trim().toUpperCase().split(/\s+/);
    offered.set(keyword, words);
  }
  return {
    pipelining: offered.has("PIPELINING"),
    size: offered.has("SIZE"),
    eightBit: offered.has("8BITMIME"),
    smtpUtf8: offered.has("SMTPUTF8"),
    dsn: offered.has("DSN"),
    requireTls: offered.has("REQUIRETLS"),
    startTls: offered.has("STARTTLS"),
    auth: offered.get("AUTH") ?? [],
    xforward: offered.get("XFORWARD") ?? [],
  };
}
