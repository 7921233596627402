/**
 * Sixty days of a mail provider, made up and always the same: what our own intake would have written for them.
 *
 * Of 200,000 entries a day 120,000 are accepted mails (`received` and `handed-over`, 60,000 each), 55,000 are refusals before DATA, 15,000
 * after it, 10,000 deferrals. 30,000 mailboxes, 8,000 sending domains with 13,000 servers, 60,000 senders, all of uneven activity; they
 * grow with the number of entries, so that one mailbox has about 400 entries in sixty days at any size. Message-IDs, ports, queue ids
 * and seals of ids are random, as they are in life: they are most of what is left after compression.
 */
import type { Entry } from "../../../src/ledger/entry.ts";

export const DAY_MS = 86_400_000;
export const FIRST_DAY_MS = Date.UTC(2026, 8, 1);

const DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+_";
const PER_DAY = 200_000;

type Random = () => number;

/** mulberry32: small, fast and the same everywhere. */
function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const below = (random: Random, n: number): number => Math.floor(random() * n);
/** Uneven: the first ones far more often than the last. */
const uneven = (random: Random, n: number): number => Math.floor(n * random() ** 1.7);
const text = (random: Random, alphabet: string, length: number): string => {
  let made = "";
  for (let i = 0; i < length; i += 1) made += alphabet[below(random, alphabet.length)];
  return made;
};

function digits(value: number, length: number): string {
  let made = "";
  for (let rest = value, i = 0; i < length; i += 1, rest = Math.floor(rest / 32)) made = DIGITS[rest % 32] + made;
  return made;
}

interface World {
  readonly mailboxes: number;
  readonly domains: number;
  readonly servers: number;
  readonly senders: number;
}

const worldOf = (perDay: number): World => {
  const scale = Math.max(0.01, perDay / PER_DAY);
  const many = (n: number): number => Math.max(20, Math.round(n * scale));
  return { mailboxes: many(30_000), domains: many(8_000), servers: many(13_000), senders: many(60_000) };
};

const NAMES = [
  "li.wei",
  "nguyen.an",
  "anna",
  "support",
  "tran.minh",
  "wang.fang",
  "news",
  "j.smith",
  "office",
  "le.thu",
];
const TLDS = ["example", "cn.example", "vn.example", "test"];
const mixed = (n: number, salt: number): number => Math.imul(n + 1, salt) >>> 0;
const mailboxAddress = (n: number): string => `${NAMES[n % 10]}${n}@provider.example`;
const domainName = (n: number): string => `d${mixed(n, 0x9e3779b1).toString(36)}.${TLDS[n % 4]}`;
const serverIp = (n: number): string => {
  const bits = mixed(n, 0x85ebca6b);
  if (n % 9 === 0) return `2001:db8:${(bits >>> 16).toString(16)}:${((bits & 0xfff) + 1).toString(16)}::1`;
  return `${1 + ((bits >>> 24) % 222)}.${(bits >>> 16) & 255}.${(bits >>> 8) & 255}.${1 + (bits & 127)}`;
};

interface Origin {
  readonly sender: string;
  readonly clientIp: string;
  readonly helo: string;
  readonly login?: string;
  readonly client?: string;
}

/** Every sender has a domain, every domain a few servers; big senders have more. */
function stranger(random: Random, world: World): Origin {
  const sender = uneven(random, world.senders);
  const domain = mixed(sender, 0xc2b2ae35) % world.domains;
  const own = domain % 50 === 0 ? 20 : 1 + (domain % 2);
  const server = (domain * 2 + below(random, own)) % world.servers;
  const name = domainName(domain);
  const local = random() < 0.04 ? "" : `${NAMES[sender % 10]}${sender}@${name}`;
  return { sender: local, clientIp: serverIp(server), helo: `mx${server % 7}.${name}` };
}

function customer(random: Random, world: World): Origin {
  const n = uneven(random, world.mailboxes);
  const address = mailboxAddress(n);
  const ip = `10.${n % 200}.${(n >> 3) & 255}.${1 + below(random, 3)}`;
  return { sender: address, clientIp: ip, helo: `[${ip}]`, login: address, client: `customer-${n % 400}` };
}

function messageId(random: Random, at: number, host: string): string {
  const kind = random();
  if (kind < 0.35) return `<${text(random, "0123456789abcdef", 32)}@${host}>`;
  if (kind < 0.65) return `<CA${text(random, BASE64, 32)}@mail.${host}>`;
  return `<${new Date(at).toISOString().replace(/\D/g, "").slice(0, 14)}.${below(random, 99_999)}@${host}>`;
}

const REFUSALS: readonly (readonly [rule: string, article: string, pack: string | undefined, reply: string])[] = [
  [
    "relay/anonymous",
    "Order 38 (CN 2006) art. 6",
    "cn-2006@1.0.0",
    "550 5.7.1 relaying denied: you are no client of this relay / accepted: mail for its own domains, or log in first",
  ],
  [
    "envelope/helo",
    "RFC 5321 4.1.4",
    undefined,
    "550 5.7.1 HELO claims to be this server / accepted: the name of your own host",
  ],
  [
    "consent/recorded-consent",
    "Order 38 (CN 2006) art. 13(1)",
    "cn-2006@1.0.0",
    "550 5.7.1 this recipient has not agreed to advertising from you / accepted: recipients whose consent is recorded",
  ],
  [
    "advertising/subject-label",
    "Order 38 (CN 2006) art. 13(1)",
    "cn-2006@1.0.0",
    "550 5.7.1 an advertisement must say so at the very front of its Subject / accepted: one of these labels: AD",
  ],
];

/** The ids of one run of one process. */
function idsOf(random: Random) {
  const run = text(random, DIGITS, 5);
  let lastMs = 0;
  let count = 0;
  const next = (atMs: number): string => {
    count = atMs <= lastMs ? count + 1 : 0;
    lastMs = Math.max(lastMs, atMs);
    return digits(lastMs, 10) + run + digits(count, 4);
  };
  return { next, sealed: (atMs: number) => next(atMs) + text(random, DIGITS, 4) };
}

/** How busy the hours of a day are. */
const HOURS = [2, 1, 1, 1, 1, 2, 3, 5, 8, 9, 9, 8, 7, 8, 9, 9, 8, 7, 5, 4, 4, 4, 3, 3];
const BUSY = HOURS.reduce((sum, each) => sum + each, 0);

/** Entries of one day, oldest first. `day` counts from FIRST_DAY_MS. */
export function* entriesOf(day: number, perDay: number): Generator<Entry> {
  const random = seeded(day * 7919 + 17);
  const world = worldOf(perDay);
  const ids = idsOf(random);
  const begin = FIRST_DAY_MS + day * DAY_MS;
  for (let hour = 0; hour < 24; hour += 1) {
    // A mail makes 1.43 entries in the middle; the last hour fills the day up.
    const wanted = Math.round((perDay * (HOURS[hour] ?? 0)) / BUSY);
    const held: Entry[] = [];
    const stepMs = 3_600_000 / Math.max(1, wanted / 1.43);
    let made = 0;
    for (let atMs = begin + hour * 3_600_000; made < wanted; atMs += random() * 2 * stepMs) {
      const at = Math.min(Math.floor(atMs), begin + (hour + 1) * 3_600_000 - 200);
      const entries = mailOf({ random, world, ids, at }).slice(0, wanted - made);
      made += entries.length;
      held.push(...entries);
    }
    yield* held.sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
  }
}

interface Moment {
  readonly random: Random;
  readonly world: World;
  readonly ids: ReturnType<typeof idsOf>;
  readonly at: number;
}

/** All entries of one mail with one recipient. */
function mailOf({ random, world, ids, at }: Moment): Entry[] {
  const out = random() < 0.2;
  const origin = out ? customer(random, world) : stranger(random, world);
  const { sender, clientIp, helo, login, client } = origin;
  const recipient = out
    ? stranger(random, world).sender || "someone@far.example"
    : mailboxAddress(uneven(random, world.mailboxes));
  const sessionId = ids.next(at - 40);
  const mailId = ids.sealed(at - 20);
  const common: Omit<Entry, "id" | "at" | "event"> = {
    mailId,
    sessionId,
    door: out ? "submission" : "smtp",
    clientIp,
    clientPort: 1024 + below(random, 64_000),
    serverIp: "192.0.2.25",
    helo,
    ...(login !== undefined && { login }),
    ...(client !== undefined && { client }),
    ...(random() < 0.85 && { tls: random() < 0.8 ? "TLSv1.3" : "TLSv1.2" }),
    sender,
    recipient,
    direction: out ? "out" : "in",
  };
  const content = {
    messageId: messageId(random, at, sender.split("@")[1] ?? "bounces.example"),
    sizeBytes: Math.round(Math.exp(8 + random() * 4)),
  };
  const kind = random();
  const entry = (event: Entry["event"], atMs: number, rest: Partial<Entry>): Entry => ({
    id: ids.next(atMs),
    at: atMs,
    event,
    ...common,
    ...rest,
  });
  if (kind < 0.4286) {
    const first = entry("received", at, { ...content, verdict: "accept" });
    const reply = `250 2.0.0 Ok: queued as 4${text(random, BASE64.slice(0, 62), 12)}`;
    return [
      first,
      entry("handed-over", at + 3 + below(random, 60), {
        ...content,
        nextHopIp: "192.0.2.40",
        verdict: "accept",
        reply,
      }),
    ];
  }
  if (kind < 0.93) {
    const [rule, article, pack, words] = REFUSALS[uneven(random, REFUSALS.length)] ?? ["", "", undefined, ""];
    const late = kind > 0.82;
    return [
      entry("refused", at, {
        ...(late && content),
        verdict: "reject",
        rules: [rule],
        articles: [article],
        ...(pack && { packs: [pack] }),
        evidence: { helo, client: false },
        reply: `${words} / ${article} - id ${mailId}`,
      }),
    ];
  }
  return [
    entry("deferred", at, {
      verdict: "defer",
      reply: "451 4.4.1 the next server does not answer / accepted: try again later",
    }),
  ];
}
