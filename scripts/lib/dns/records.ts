/** DNS messages as a server writes them (RFC 1035 4), for tests, scripts/try and the benches. */

export type ZoneRecord =
  | { readonly type: "A" | "AAAA" | "PTR" | "CNAME" | "NS"; readonly value: string }
  | { readonly type: "TXT"; readonly value: readonly (string | Buffer)[] }
  | { readonly type: "MX"; readonly value: readonly [preference: number, host: string] };

export const CODES: Readonly<Record<ZoneRecord["type"] | "SOA", number>> = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  MX: 15,
  TXT: 16,
  AAAA: 28,
};

export interface AskedQuestion {
  readonly id: number;
  /** As asked, in lower case. */
  readonly name: string;
  readonly type: number;
  /** Name, type and class as they stood on the wire. */
  readonly bytes: Buffer;
  /** Largest answer over UDP the asker takes, bytes. */
  readonly udpBytesMax: number;
}

const HEADER_BYTES = 12;

export function readQuestion(message: Buffer): AskedQuestion | undefined {
  if (message.length < HEADER_BYTES + 5) return undefined;
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    labels.push(message.toString("latin1", at + 1, at + 1 + length));
    at += length + 1;
  }
  const end = at + 5;
  if (end > message.length) return undefined;
  const hasOption = message.readUInt16BE(10) > 0 && message.length >= end + 5 && message.readUInt16BE(end + 1) === 41;
  return {
    id: message.readUInt16BE(0),
    name: labels.join(".").toLowerCase(),
    type: message.readUInt16BE(at + 1),
    bytes: message.subarray(HEADER_BYTES, end),
    udpBytesMax: hasOption ? message.readUInt16BE(end + 3) : 512,
  };
}

export interface WrittenAnswer {
  readonly rcode: number;
  readonly records: readonly { readonly name: string; readonly record: ZoneRecord }[];
  /** Seconds, of every record and of the negative answer. */
  readonly ttl: number;
  readonly truncated?: boolean;
}

export function writeAnswer(question: AskedQuestion, { rcode, records, ttl, truncated }: WrittenAnswer): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16BE(question.id, 0);
  header.writeUInt16BE(0x8580 | (truncated ? 0x0200 : 0) | rcode, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(truncated ? 0 : records.length, 6);
  const negative = records.length === 0 && (rcode === 0 || rcode === 3);
  header.writeUInt16BE(negative ? 1 : 0, 8);
  const body = truncated
    ? []
    : records.map(({ name, record }) => writeRecord(name, CODES[record.type], ttl, dataOf(record)));
  const soa = negative ? [writeRecord("", CODES.SOA, ttl, soaData(ttl))] : [];
  return Buffer.concat([header, question.bytes, ...body, ...soa]);
}

function writeRecord(name: string, type: number, ttl: number, data: Buffer): Buffer {
  const fixed = Buffer.alloc(10);
  fixed.writeUInt16BE(type, 0);
  fixed.writeUInt16BE(1, 2);
  fixed.writeUInt32BE(ttl, 4);
  fixed.writeUInt16BE(data.length, 8);
  return Buffer.concat([writeName(name), fixed, data]);
}

function writeName(name: string): Buffer {
  const labels = name.replace(/\.$/, "").split(".").filter(Boolean);
  const pieces = labels.map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label, "latin1")]));
  return Buffer.concat([...pieces, Buffer.from([0])]);
}

function soaData(ttl: number): Buffer {
  const numbers = Buffer.alloc(20);
  numbers.writeUInt32BE(ttl, 16);
  return Buffer.concat([writeName("ns.invalid"), writeName("hostmaster.invalid"), numbers]);
}

function dataOf(record: ZoneRecord): Buffer {
  switch (record.type) {
    case "A":
      return Buffer.from(record.value.split(".").map(Number));
    case "AAAA":
      return Buffer.from(expand(record.value).flatMap((group) => [group >> 8, group & 255]));
    case "MX": {
      const preference = Buffer.alloc(2);
      preference.writeUInt16BE(record.value[0]);
      return Buffer.concat([preference, writeName(record.value[1])]);
    }
    case "TXT":
      return Buffer.concat(record.value.flatMap(stringsOf));
    default:
      return writeName(record.value);
  }
}

/** One string, or several when it is longer than one can be. */
function stringsOf(text: string | Buffer): Buffer[] {
  const bytes = typeof text === "string" ? Buffer.from(text, "latin1") : text;
  const pieces: Buffer[] = [];
  for (let at = 0; at === 0 || at < bytes.length; at += 255) {
    const piece = bytes.subarray(at, at + 255);
    pieces.push(Buffer.from([piece.length]), piece);
  }
  return pieces;
}

/** The eight groups of an IPv6 address, its IPv4 form included. */
function expand(address: string): number[] {
  const text = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, a, b, c, d) =>
    [(Number(a) << 8) | Number(b), (Number(c) << 8) | Number(d)].map((group) => group.toString(16)).join(":"),
  );
  const [front = "", back] = text.split("::");
  const head = front.split(":").filter(Boolean);
  const tail = (back ?? "").split(":").filter(Boolean);
  const zeros = back === undefined ? 0 : 8 - head.length - tail.length;
  return [...head, ...Array.from({ length: zeros }, () => "0"), ...tail].map((group) => Number.parseInt(group, 16));
}
