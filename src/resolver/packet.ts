/**
 * DNS messages (RFC 1035 4, RFC 6891): one question out, one answer in. An answer is hostile input: every read is within its
 * bytes, a compressed name can only point backwards, and records are counted.
 */
import { canonicalIp } from "../kit/ip.ts";
import type { Exchange, RecordType } from "../kit/names.ts";

export const TYPE_CODES: Readonly<Record<RecordType, number>> = { A: 1, PTR: 12, MX: 15, TXT: 16, AAAA: 28 };
const CNAME = 5;
const SOA = 6;
const NS = 2;
const OPT = 41;
const IN = 1;

const HEADER_BYTES = 12;
const LABEL_BYTES_MAX = 63;
const NAME_BYTES_MAX = 255;
/** So many records of an answer are read; more of one name help nobody. */
const RECORDS_MAX = 1000;
/** Answers over UDP that travel unfragmented almost everywhere. */
const UDP_BYTES = 1232;

/** What a server said. */
export interface Message {
  readonly id: number;
  readonly rcode: number;
  readonly truncated: boolean;
  /** The question it answers: name in lower case. */
  readonly name: string;
  readonly type: number;
  readonly answers: readonly RawRecord[];
  /** How long a negative answer may be kept, s (RFC 2308 5); absent: it does not say. */
  readonly negativeTtl?: number;
  /** It knows nothing itself and names others to ask. */
  readonly referral: boolean;
}

export interface RawRecord {
  /** Lower case. */
  readonly name: string;
  readonly type: number;
  /** Seconds. */
  readonly ttl: number;
  readonly value: string | Exchange;
}

/** A name as labels on the wire. undefined: no name can be that long or have an empty label. */
export function encodeName(name: string): Buffer | undefined {
  if (name === "") return Buffer.from([0]);
  const pieces: Buffer[] = [];
  for (const label of name.split(".")) {
    const bytes = Buffer.from(label, /[^\x00-\xff]/.test(label) ? "utf8" : "latin1");
    if (bytes.length === 0 || bytes.length > LABEL_BYTES_MAX) return undefined;
    pieces.push(Buffer.from([bytes.length]), bytes);
  }
  const wire = Buffer.concat([...pieces, Buffer.from([0])]);
  return wire.length > NAME_BYTES_MAX ? undefined : wire;
}

/** A question with recursion wanted. @param edns offer large answers (RFC 6891); a few old servers choke on it */
export function encodeQuestion(id: number, name: Buffer, { type, edns }: { type: RecordType; edns: boolean }): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16BE(id, 0);
  header[2] = 0x01;
  header[5] = 1;
  header[11] = edns ? 1 : 0;
  const tail = Buffer.alloc(4);
  tail.writeUInt16BE(TYPE_CODES[type], 0);
  tail.writeUInt16BE(IN, 2);
  const option = Buffer.from([0, 0, OPT, UDP_BYTES >> 8, UDP_BYTES & 0xff, 0, 0, 0, 0, 0, 0]);
  return Buffer.concat(edns ? [header, name, tail, option] : [header, name, tail]);
}

/** Reads an answer. undefined: it is none, or broken. */
export function decodeMessage(bytes: Buffer): Message | undefined {
  try {
    return readMessage(bytes);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function readMessage(bytes: Buffer): Message | undefined {
  const flags = bytes.readUInt16BE(2);
  const isAnswer = (flags & 0x8000) !== 0 && (flags & 0x7800) === 0;
  if (!isAnswer || bytes.readUInt16BE(4) !== 1) return undefined;
  const question = readName(bytes, HEADER_BYTES);
  const type = bytes.readUInt16BE(question.end);
  const answers = readRecords(bytes, question.end + 4, bytes.readUInt16BE(6));
  const truncated = (flags & 0x0200) !== 0;
  const authority = truncated ? { records: [] } : readRecords(bytes, answers.end, bytes.readUInt16BE(8));
  const soa = authority.records.find((record) => record.type === SOA);
  const authoritative = (flags & 0x0400) !== 0;
  return {
    id: bytes.readUInt16BE(0),
    rcode: flags & 0x000f,
    truncated,
    name: question.name,
    type,
    answers: answers.records,
    ...(soa && { negativeTtl: Math.min(soa.ttl, Number(soa.value)) }),
    referral:
      !authoritative && answers.records.length === 0 && !soa && authority.records.some(({ type }) => type === NS),
  };
}

function readRecords(bytes: Buffer, start: number, count: number): { records: RawRecord[]; end: number } {
  const records: RawRecord[] = [];
  let at = start;
  for (let n = 0; n < count && n < RECORDS_MAX; n += 1) {
    const { name, end } = readName(bytes, at);
    const type = bytes.readUInt16BE(end);
    const ttl = bytes.readInt32BE(end + 4);
    const data = end + 10;
    const next = data + bytes.readUInt16BE(end + 8);
    if (next > bytes.length) throw new RangeError("a record that ends behind the message");
    const value = bytes.readUInt16BE(end + 2) === IN ? readValue(bytes, type, { from: data, to: next }) : undefined;
    // A negative TTL counts as zero (RFC 2181 8).
    if (value !== undefined) records.push({ name, type, ttl: Math.max(0, ttl), value });
    at = next;
  }
  return { records, end: at };
}

interface Span {
  readonly from: number;
  readonly to: number;
}

function readValue(bytes: Buffer, type: number, { from, to }: Span): string | Exchange | undefined {
  switch (type) {
    case TYPE_CODES.A:
      return to - from === 4 ? [...bytes.subarray(from, to)].join(".") : undefined;
    case TYPE_CODES.AAAA:
      return to - from === 16 ? readIpv6(bytes.subarray(from, to)) : undefined;
    case TYPE_CODES.MX:
      return { preference: bytes.readUInt16BE(from), host: readName(bytes, from + 2).name };
    case TYPE_CODES.TXT:
      return readStrings(bytes, { from, to });
    case TYPE_CODES.PTR:
    case CNAME:
    case NS:
      return readName(bytes, from).name;
    case SOA: {
      const contact = readName(bytes, readName(bytes, from).end);
      return String(bytes.readUInt32BE(contact.end + 16));
    }
    default:
      return undefined;
  }
}

function readIpv6(bytes: Buffer): string | undefined {
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16));
  // A mapped address stays what the record is, an IPv6 address: canonicalIp would turn it into IPv4.
  return canonicalIp(groups.join(":"))?.includes(":") ? canonicalIp(groups.join(":")) : groups.join(":");
}

function readStrings(bytes: Buffer, { from, to }: Span): string {
  let text = "";
  for (let at = from; at < to; ) {
    const end = at + 1 + (bytes[at] ?? 0);
    if (end > to) throw new RangeError("a string that ends behind its record");
    text += bytes.toString("latin1", at + 1, end);
    at = end;
  }
  return text;
}

/** Reads a name that may be compressed (RFC 1035 4.1.4). @throws RangeError when it leaves the message or never ends */
function readName(bytes: Buffer, start: number): { name: string; end: number } {
  const labels: string[] = [];
  let total = 0;
  let at = start;
  let end: number | undefined;
  for (;;) {
    const length = bytes.readUInt8(at);
    if (length === 0) break;
    if (length >= 0xc0) {
      const target = bytes.readUInt16BE(at) & 0x3fff;
      end ??= at + 2;
      if (target >= at) throw new RangeError("a name that points forward");
      at = target;
      continue;
    }
    total += length + 1;
    if (length > LABEL_BYTES_MAX || total > NAME_BYTES_MAX || at + 1 + length > bytes.length) {
      throw new RangeError("a name that is too long");
    }
    labels.push(bytes.toString("latin1", at + 1, at + 1 + length).replace(/[.\\]/g, "\\$&"));
    at += length + 1;
  }
  return { name: labels.join(".").toLowerCase(), end: end ?? at + 1 };
}

/** The records of the type asked for, at the end of the aliases that lead from the name; the alias nobody resolved, if any. */
export function followAliases(
  answers: readonly RawRecord[],
  name: string,
  type: RecordType,
): { found: RawRecord[]; ttl: number; open?: string } {
  const seen = new Set<string>();
  let ttl = Number.POSITIVE_INFINITY;
  for (let at = name; ; ) {
    const found = answers.filter((record) => record.name === at && record.type === TYPE_CODES[type]);
    if (found.length > 0) return { found, ttl: Math.min(ttl, ...found.map((record) => record.ttl)) };
    seen.add(at);
    const alias = answers.find((record) => record.name === at && record.type === CNAME);
    const target = alias?.value as string | undefined;
    if (!alias || target === undefined || seen.has(target)) {
      return { found: [], ttl, ...(at !== name && target === undefined && { open: at }) };
    }
    ttl = Math.min(ttl, alias.ttl);
    at = target;
  }
}
