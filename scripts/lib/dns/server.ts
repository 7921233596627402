/** A small DNS server on a port of its own, UDP and TCP, authoritative for whatever it is given. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import {
  type AskedQuestion,
  CODES,
  readQuestion,
  type WrittenAnswer,
  writeAnswer,
  type ZoneRecord,
} from "./records.ts";

/** What a name answers: its records; "silence" for every type or one; or an rcode such as 2 (SERVFAIL). */
export type Zone = ReadonlyMap<string, readonly ZoneEntry[]>;
export type ZoneEntry = ZoneRecord | { readonly silence: true | ZoneRecord["type"] } | { readonly rcode: number };

export interface DnsServerOptions {
  readonly zone?: Zone;
  /** Each answer comes so much later, ms. */
  readonly delayMs?: number;
  /** Of every answer, s. */
  readonly ttl?: number;
  /** Say over UDP that the answer does not fit, whatever its size. */
  readonly truncate?: boolean;
  /** Over TCP, send the answer byte by byte with such a pause, ms. */
  readonly trickleMs?: number;
  /** Answer nothing at all. */
  readonly silent?: boolean;
}

export interface RunningDnsServer {
  readonly port: number;
  /** "127.0.0.1:port", as dns.servers has it. */
  readonly address: string;
  /** Every question so far: "TXT name", "MX name (tcp)". */
  readonly asked: string[];
  /** Answers from another zone from now on, or in another way. */
  change(options: DnsServerOptions): void;
  stop(): Promise<void>;
}

export async function startDnsServer(first: DnsServerOptions = {}): Promise<RunningDnsServer> {
  let options = first;
  const asked: string[] = [];
  const timers = new Set<NodeJS.Timeout>();
  const later = (act: () => void): void => {
    if (!options.delayMs) return act();
    const timer = setTimeout(() => {
      timers.delete(timer);
      act();
    }, options.delayMs);
    timers.add(timer);
  };
  const answer = (question: AskedQuestion, how: "udp" | "tcp"): WrittenAnswer | undefined => {
    asked.push(`${nameOfType(question.type)} ${question.name}${how === "tcp" ? " (tcp)" : ""}`);
    return options.silent ? undefined : look(options.zone ?? new Map(), question, options.ttl ?? 300);
  };

  const udp = createSocket("udp4");
  udp.on("message", (message, peer) => {
    const question = readQuestion(message);
    const said = question && answer(question, "udp");
    if (!question || !said) return;
    const bytes = writeAnswer(question, said);
    const fits = !options.truncate && bytes.length <= question.udpBytesMax;
    const reply = fits ? bytes : writeAnswer(question, { ...said, truncated: true });
    later(() => udp.send(reply, peer.port, peer.address, () => undefined));
  });
  const sockets = new Set<Socket>();
  const tcp = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket)).on("error", () => undefined);
    let bytes = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      const question = bytes.length > 2 ? readQuestion(bytes.subarray(2)) : undefined;
      const said = question && answer(question, "tcp");
      if (!question || !said) return;
      const reply = writeAnswer(question, said);
      const framed = Buffer.concat([Buffer.from([reply.length >> 8, reply.length & 255]), reply]);
      later(() => (options.trickleMs ? trickle(socket, framed, options.trickleMs) : socket.write(framed)));
    });
  });
  const port = await listenBoth(udp, tcp);
  return {
    port,
    address: `127.0.0.1:${port}`,
    asked,
    change(next) {
      options = next;
    },
    async stop() {
      for (const timer of timers) clearTimeout(timer);
      for (const socket of sockets) socket.destroy();
      await Promise.all([
        new Promise<void>((resolve) => udp.close(() => resolve())),
        new Promise((resolve) => tcp.close(resolve)),
      ]);
    },
  };
}

/** The same free port for both; another one when somebody has it for UDP. */
async function listenBoth(udp: ReturnType<typeof createSocket>, tcp: ReturnType<typeof createServer>): Promise<number> {
  for (let tries = 0; tries < 20; tries += 1) {
    tcp.listen(0, "127.0.0.1");
    await once(tcp, "listening");
    const { port } = tcp.address() as AddressInfo;
    udp.bind(port, "127.0.0.1");
    const free = await once(udp, "listening").then(
      () => true,
      () => false,
    );
    if (free) return port;
    tcp.close();
    await once(tcp, "close");
  }
  throw new Error("no port is free for UDP and TCP");
}

function trickle(socket: Socket, bytes: Buffer, pauseMs: number): void {
  let at = 0;
  const timer = setInterval(() => {
    if (at >= bytes.length || socket.destroyed) return clearInterval(timer);
    socket.write(bytes.subarray(at, at + 1));
    at += 1;
  }, pauseMs);
}

const nameOfType = (code: number): string =>
  Object.entries(CODES).find(([, value]) => value === code)?.[0] ?? String(code);

const NXDOMAIN = 3;
const ALIASES_MAX = 16;

/** undefined: silence. */
function look(zone: Zone, { name, type }: AskedQuestion, ttl: number): WrittenAnswer | undefined {
  const records: { name: string; record: ZoneRecord }[] = [];
  let at = name;
  for (let aliases = 0; aliases < ALIASES_MAX; aliases += 1) {
    const entries = zone.get(at);
    if (!entries) return { rcode: records.length === 0 && !hasBelow(zone, at) ? NXDOMAIN : 0, records, ttl };
    for (const entry of entries) {
      if ("silence" in entry && (entry.silence === true || CODES[entry.silence] === type)) return undefined;
      if ("rcode" in entry) return { rcode: entry.rcode, records: [], ttl };
    }
    const own = entries.filter((entry): entry is ZoneRecord => "type" in entry);
    const matching = own.filter((record) => CODES[record.type] === type);
    records.push(...matching.map((record) => ({ name: at, record })));
    const alias = matching.length === 0 ? own.find((record) => record.type === "CNAME") : undefined;
    if (alias?.type !== "CNAME") break;
    records.push({ name: at, record: alias });
    at = alias.value.toLowerCase().replace(/\.$/, "");
  }
  return { rcode: 0, records, ttl };
}

const below = new WeakMap<Zone, Set<string>>();

/** Does a name exist only because others end with it? */
function hasBelow(zone: Zone, name: string): boolean {
  let parents = below.get(zone);
  if (!parents) {
    parents = new Set();
    for (const each of zone.keys()) {
      for (let dot = each.indexOf("."); dot >= 0; dot = each.indexOf(".", dot + 1)) parents.add(each.slice(dot + 1));
    }
    below.set(zone, parents);
  }
  return parents.has(name);
}

/** A zone written in lines: "example.com MX 10 mail.example.com", "example.com TXT v=spf1 -all", "slow.example silence". */
export function zoneOf(lines: readonly string[]): Zone {
  const zone = new Map<string, ZoneEntry[]>();
  for (const line of lines) {
    const [, name = "", type = "", rest = ""] = /^(\S+)\s+(\S+)\s*(.*)$/s.exec(line) ?? [];
    const entries = zone.get(name.toLowerCase()) ?? [];
    entries.push(entryOf(type, rest));
    zone.set(name.toLowerCase(), entries);
  }
  return zone;
}

function entryOf(type: string, rest: string): ZoneEntry {
  if (type === "silence") return { silence: rest === "" ? true : (rest as ZoneRecord["type"]) };
  if (type === "SERVFAIL") return { rcode: 2 };
  if (type === "TXT") return { type, value: [rest] };
  if (type === "MX") {
    const [preference = "0", host = "."] = rest.split(/\s+/);
    return { type, value: [Number(preference), host] };
  }
  if (!(type in CODES)) throw new Error(`no record type: ${type}`);
  return { type: type as "A", value: rest };
}
