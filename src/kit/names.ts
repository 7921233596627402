/**
 * What may be asked of DNS, in the words of those who ask. Two kinds of "nothing" are kept apart from silence: a name that
 * does not exist (NXDOMAIN), one that has no record of the type (NODATA), and no answer at all, which is `Unavailable`.
 * The implementation is in resolver/.
 */
export interface Exchange {
  readonly preference: number;
  /** Lower case, without the root's dot; empty for the null MX (RFC 7505). */
  readonly host: string;
}

/** What a record of each type holds. */
export interface RecordOf {
  /** IPv4 address. */
  readonly A: string;
  /** IPv6 address in its canonical text. */
  readonly AAAA: string;
  readonly MX: Exchange;
  /** The strings of one record joined, one character a byte (latin1). */
  readonly TXT: string;
  /** A name: lower case, without the root's dot. */
  readonly PTR: string;
}
export type RecordType = keyof RecordOf;

/** What DNS said. Aliases (CNAME) have been followed. */
export interface Answer<R> {
  readonly records: readonly R[];
  /** false: there is no such name (NXDOMAIN). true with no record: the name has none of this type. */
  readonly exists: boolean;
}

export interface Names {
  /**
   * Asks for the records of a name. What no name can be (a label of 64 octets, an empty one) does not exist.
   * @throws Unavailable("dns") when nobody answered in time, or what was asked is over its budget
   */
  ask<T extends RecordType>(name: string, type: T): Promise<Answer<RecordOf[T]>>;
}

/** Names that can also say at once what they know already. */
export interface KnowingNames extends Names {
  /** undefined: it has to be asked. @throws Unavailable("dns") for what nobody answered a moment ago */
  known<T extends RecordType>(name: string, type: T): Answer<RecordOf[T]> | undefined;
}

/** Names for many mails: each asks within what one mail may cost. */
export interface NameService extends Names {
  /** @param scope any object that lives as long as the mail (its `sender`); all who name the same share one budget */
  within(scope: object): KnowingNames;
}

/** The name under which the reverse of an address is found (RFC 1035 3.5, RFC 3596 2.5), e.g. "7.2.0.192.in-addr.arpa". */
export function reverseName(ip: string): string {
  return ip.includes(":") ? `${nibblesOf(ip).join(".")}.ip6.arpa` : `${ip.split(".").reverse().join(".")}.in-addr.arpa`;
}

/** The 32 hexadecimal digits of an IPv6 address, last first. */
function nibblesOf(ip: string): string[] {
  const [front = "", back] = ip.split("::");
  const head = front === "" ? [] : front.split(":");
  const tail = back === undefined || back === "" ? [] : back.split(":");
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => "0");
  const groups = back === undefined ? head : [...head, ...zeros, ...tail];
  return [...groups.map((group) => group.padStart(4, "0")).join("")].reverse();
}
