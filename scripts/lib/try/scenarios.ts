import { LABELS } from "./labels.ts";
import type { World } from "./world.ts";

/** One mail, and what must become of it. */
export interface Scenario {
  readonly title: string;
  /** At which door: that of the world, that of clients with shop's login, or there without one. */
  readonly door: "world" | "clients" | "clients-without-login";
  /** Who logs in at the clients' door; absent: shop, the advertiser. */
  readonly login?: "shop" | "desk";
  readonly swaks: readonly string[];
  /** How the reply begins, and a piece of it. */
  readonly code: string;
  readonly says: string;
  /** The mail must be in this mailbox of example.com afterwards. */
  readonly arrivesFor?: string;
  /** It may take so long until the reply is the expected one, ms; absent: the first counts. */
  readonly patienceMs?: number;
  /** The ledger must say this of it. */
  readonly ledgerSays?: string;
  /** What happens before it. */
  readonly before?: (world: World) => Promise<void>;
}

const ALICE = "alice@example.com";
const SHOP = "news@shop.example";
const STRANGER = ["--helo", "host.stranger.example", "--from", "me@stranger.example"];

const fromStranger = (title: string, to: string, says: string): Scenario => ({
  title,
  door: "world",
  swaks: [...STRANGER, "--to", to],
  code: "550 5.7.1",
  says,
});

const fromShop = (to: string, subject: string): Pick<Scenario, "door" | "swaks"> => ({
  door: "clients",
  swaks: ["--from", SHOP, "--to", to, "--h-Subject", subject],
});

const local: readonly Scenario[] = [
  {
    title: "a stranger writes to a local mailbox",
    door: "world",
    swaks: [...STRANGER, "--to", ALICE],
    code: "250",
    says: "id ",
    arrivesFor: "alice",
  },
];

/** Each once meant "and from there on to elsewhere.example" to some server. */
const relaying: readonly Scenario[] = [
  fromStranger("relaying: plain", "you@elsewhere.example", "relaying denied"),
  fromStranger("relaying: percent hack", "you%elsewhere.example@example.com", "hides another destination"),
  fromStranger("relaying: bang path", "elsewhere.example!you@example.com", "hides another destination"),
  fromStranger("relaying: source route", "@example.com:you@elsewhere.example", "relaying denied"),
  fromStranger("relaying: quoted address", '"you@elsewhere.example"@example.com', "hides another destination"),
  fromStranger("relaying: IPv4 literal", "you@[192.0.2.1]", "relaying denied"),
  fromStranger("relaying: IPv6 literal", "you@[IPv6:2001:db8::1]", "relaying denied"),
];

const forged: readonly Scenario[] = [
  {
    title: "a stranger forges a local sender in MAIL FROM",
    door: "world",
    swaks: ["--helo", "host.stranger.example", "--from", "boss@example.com", "--to", ALICE],
    code: "550 5.7.1",
    says: "claims a domain of this server",
  },
  {
    title: "a stranger forges a local sender in From",
    door: "world",
    swaks: [...STRANGER, "--to", ALICE, "--h-From", "The Boss <boss@example.com>"],
    code: "550 5.7.1",
    says: "claims a domain of this server",
  },
  {
    title: "a client sends in somebody else's name",
    door: "clients",
    swaks: ["--from", "security@bank.example", "--to", ALICE, "--h-Subject", "AD Summer sale"],
    code: "550 5.7.1",
    says: "does not belong to your login",
  },
  {
    title: "nobody sends at the clients' door without a login",
    door: "clients-without-login",
    swaks: [...STRANGER, "--to", ALICE],
    code: "530 5.7.0",
    says: "for clients only",
  },
];

const advertising: readonly Scenario[] = [
  {
    title: "an advertisement without a label",
    ...fromShop(ALICE, "Summer sale"),
    code: "550 5.7.1",
    says: "must say so at the very front of its Subject",
  },
  ...LABELS.flatMap(({ label, spellings }) =>
    spellings.map(({ how, subject }) => ({
      title: `label ${label}: ${how}`,
      ...fromShop(ALICE, subject),
      code: "250",
      says: "id ",
      arrivesFor: "alice",
    })),
  ),
  {
    title: "a word that only begins like a label",
    ...fromShop(ALICE, "Adobe licences for less"),
    code: "550 5.7.1",
    says: "must say so at the very front of its Subject",
  },
];

const consent: readonly Scenario[] = [
  {
    title: "labelled, to somebody who never agreed",
    ...fromShop("bob@example.com", "AD Summer sale"),
    code: "550 5.7.1",
    says: "has not agreed to advertising",
  },
  {
    title: "labelled, to somebody who has just agreed",
    ...fromShop("carol@example.com", "AD Summer sale"),
    code: "250",
    says: "id ",
    arrivesFor: "carol",
    before: (world) => world.grant("carol@example.com"),
  },
  {
    title: "the same after her refusal",
    ...fromShop("carol@example.com", "AD Summer sale"),
    code: "550 5.7.1",
    says: "has refused advertising",
    before: (world) => world.withdraw("carol@example.com"),
  },
];

const UTF8 = ["--h-Content-Type", "text/plain; charset=utf-8"];
const SALE_SUBJECT = "夏季新品全场五折 限时抢购";

/** An advertisement as it is sent out, one to each customer; nothing in it says so. */
export const sale = (name: string, n: number): string =>
  [
    `尊敬的${name}：`,
    `夏季新品隆重上市，全场五折优惠，限时抢购！原价 399 元，现价仅 ${190 + (n % 10)} 元，包邮到家，名额有限，先到先得。`,
    `立即订购请致电 400-800-${1000 + n} 或加微信咨询，欢迎选购。`,
    `https://shop.example/sale?r=${n.toString(36)}`,
  ].join("\n");

const ORDINARY = [
  "Hi Alice,",
  "here are the minutes of Tuesday's meeting. We agreed to move the review to next week because Li is on holiday.",
  "Ann will send the agenda on Friday. Please correct me where I got something wrong.",
  "Bob",
].join("\n");

const fromDesk = (subject: string, body: string): Pick<Scenario, "door" | "login" | "swaks"> => ({
  door: "clients",
  login: "desk",
  swaks: ["--from", "bob@office.example", "--to", ALICE, ...UTF8, "--h-Subject", subject, "--body", body],
});

const saleFromStranger = (to: string, n: number): Pick<Scenario, "door" | "swaks"> => ({
  door: "world",
  swaks: [...STRANGER, "--to", to, ...UTF8, "--h-Subject", SALE_SUBJECT, "--body", sale("顾客", n)],
});

/** Copies before the one that is looked at. */
export const COPIES = 199;

/** Mail that says nothing of itself; the start and demo configurations hold what strangers do not declare. */
const undeclared: readonly Scenario[] = [
  {
    title: "an ordinary mail of an ordinary client",
    ...fromDesk("minutes of Tuesday", ORDINARY),
    code: "250",
    says: "id ",
    arrivesFor: "alice",
  },
  {
    title: "the same client advertises and does not say so",
    ...fromDesk(SALE_SUBJECT, sale("王女士", 1)),
    code: "550 5.7.1",
    says: "the mail reads like advertising",
    ledgerSays: "prices and ordering words",
  },
  {
    title: "a stranger does: the mail is held, which here means that it waits at its sender",
    ...saleFromStranger(ALICE, 2),
    code: "451 4.7.1",
    says: "has to be looked at first",
    ledgerSays: "advertising/detect",
  },
  {
    title: `the same text in ${COPIES} more copies, each with another name, number and link: the next is noticed`,
    ...saleFromStranger("alice+200@example.com", COPIES + 1),
    code: "451 4.7.1",
    says: "has to be looked at first",
    ledgerSays: "same text to ",
    before: (world) => world.copies(COPIES),
  },
];

/** Docker only: the registers go away in the middle, and come back by themselves. */
const withoutRedis: readonly Scenario[] = [
  {
    title: "Redis stopped: a declared advertisement waits at its sender",
    door: "world",
    swaks: [...STRANGER, "--to", ALICE, "--h-Subject", "AD Summer sale"],
    code: "451 4.3.0",
    says: "the registers do not answer",
    before: (world) => world.redis("stop"),
  },
  {
    title: "Redis stopped: a login waits too",
    ...fromShop(ALICE, "AD Summer sale"),
    code: "454",
    says: "try again later",
  },
  {
    title: "Redis started: delivered, without anybody's help",
    ...fromShop(ALICE, "AD Summer sale"),
    code: "250",
    says: "id ",
    arrivesFor: "alice",
    patienceMs: 30_000,
    before: (world) => world.redis("start"),
  },
];

/** In the order they are played. */
export const scenariosFor = (compose: boolean): readonly Scenario[] => [
  ...local,
  ...relaying,
  ...forged,
  ...advertising,
  ...consent,
  ...undeclared,
  ...(compose ? withoutRedis : []),
];
