import { conduct } from "./conduct.ts";
import { customers } from "./customers.ts";
import { LABELS } from "./labels.ts";
import { queueing } from "./queueing.ts";
import { refusals } from "./refusals.ts";
import { ALICE, fromShop, type Scenario, STRANGER } from "./scenario.ts";
import { undeclared } from "./undeclared.ts";

const fromStranger = (title: string, to: string, says: string): Scenario => ({
  title,
  door: "world",
  swaks: [...STRANGER, "--to", to],
  code: "550 5.7.1",
  says,
  throughPostfix: { code: "554 5.7.1", says: "Relay access denied" },
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

const codes: readonly Scenario[] = [
  {
    title: "a management code that nobody has",
    ...fromShop(ALICE, "[QC ZZZ1] Summer sale"),
    code: "550 5.7.1",
    says: "ZZZ1 is not known",
  },
  {
    title: "a management code that has expired",
    ...fromShop(ALICE, "[QC OLD1] Summer sale"),
    code: "550 5.7.1",
    says: "OLD1 is expired",
  },
];

const consent: readonly Scenario[] = [
  {
    title: "labelled, to somebody who never agreed",
    ...fromShop("nobody-agreed@example.com", "AD Summer sale"),
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

const fromNamed = (envelope: string, header: string): Pick<Scenario, "door" | "swaks"> => ({
  door: "named",
  swaks: [
    ...["--xclient-addr", "192.0.2.7", "--helo", "mx.friend.example"],
    ...["--from", envelope, "--to", ALICE, "--h-From", header],
  ],
});

/** Against a server of its own, with a DNS that knows friend.example and bank.example. */
const senders: readonly Scenario[] = [
  {
    title: "a sender whom SPF proves",
    ...fromNamed("me@friend.example", "A Friend <me@friend.example>"),
    code: "250",
    says: "id ",
    throughPostfix: { code: "250", says: "id " },
  },
  {
    title: "From forged, of a domain whose DMARC policy is reject",
    ...fromNamed("me@friend.example", "The Bank <security@bank.example>"),
    code: "550 5.7.26",
    says: "has not authorised this mail",
  },
  {
    title: "an address that the sender's SPF record does not name, where the operator refuses that",
    ...fromNamed("security@bank.example", "A Friend <me@friend.example>"),
    code: "550 5.7.23",
    says: "may not send for it (SPF)",
  },
  {
    title: "a sender's domain that does not exist",
    ...fromNamed("me@nowhere.example", "Me <me@nowhere.example>"),
    code: "550 5.1.8",
    says: "receives no mail",
  },
  {
    title: "DNS is silent about a sender: the mail waits there",
    ...fromNamed("me@silent.example", "Me <me@silent.example>"),
    code: "451 4.4.3",
    says: "DNS does not answer",
  },
];

/** "hh:mm", so many hours from now, UTC. */
const hourFromNow = (hours: number): string => new Date(Date.now() + hours * 3_600_000).toISOString().slice(11, 16);

const scope: readonly Scenario[] = [
  {
    title: "one advertisement more than was agreed to",
    ...fromShop("bob@example.com", "AD Summer sale, again"),
    after: fromShop("bob@example.com", "AD Summer sale").swaks,
    code: "550 5.7.1",
    says: "has not agreed to so many advertisements",
    before: (world) => world.grant("bob@example.com", "--limit", "1/24h"),
  },
  {
    title: "at an hour that was not agreed to: later it will do",
    ...fromShop("carol@example.com", "AD Summer sale"),
    code: "450 4.7.1",
    says: "has not agreed to advertising at this hour",
    before: (world) => world.grant("carol@example.com", "--hours", `${hourFromNow(2)}-${hourFromNow(4)} UTC`),
  },
];

/** Not with Docker: its Postfix knows no other domain. */
const mixed: readonly Scenario[] = [
  {
    title: "recipients whose laws ask for different labels",
    ...fromShop("kim@kr.example,lee@sg.example", "Summer sale"),
    code: "550 5.7.1",
    says: "<ADV> to lee@sg.example",
    async before(world) {
      await world.grant("kim@kr.example");
      await world.grant("lee@sg.example");
    },
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
    // It knows the login itself; the client's record is what is away.
    throughPostfix: { code: "451 4.3.0", says: "the registers do not answer" },
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

/** Docker only, Postfix in front: its filter goes away, and comes back. */
const withoutFilter: readonly Scenario[] = [
  {
    title: "consentry stopped: Postfix lets nothing pass unjudged, mail waits at its sender",
    door: "world",
    swaks: [...STRANGER, "--to", ALICE],
    code: "451 4.7.1",
    says: "Service unavailable - try again later",
    before: (world) => world.consentry("stop"),
  },
  {
    title: "consentry started: delivered, without anybody's help",
    door: "world",
    swaks: [...STRANGER, "--to", ALICE],
    code: "250",
    says: "id ",
    arrivesFor: "alice",
    patienceMs: 30_000,
    before: (world) => world.consentry("start"),
  },
];

/** What a Postfix says of a mail it has taken. */
const TAKEN_BY_POSTFIX = { code: "250", says: "queued as" };

const throughPostfix = (scenario: Scenario): Scenario => ({
  ...scenario,
  ...(scenario.throughPostfix ?? (scenario.code === "250" ? TAKEN_BY_POSTFIX : {})),
});

/** In the order they are played. */
export function scenariosFor(played: { readonly redisStops: boolean; readonly behindPostfix: boolean }): Scenario[] {
  const all = [
    ...local,
    ...relaying,
    ...forged,
    ...senders,
    ...advertising,
    ...codes,
    ...consent,
    ...scope,
    // A client that Postfix does not know, and mail kept for somebody to look at: that Postfix is not set up for either.
    ...(played.behindPostfix ? [] : [...undeclared, ...queueing]),
    ...(played.redisStops ? withoutRedis : [...refusals, ...mixed, ...conduct, ...customers]),
  ];
  return played.behindPostfix ? [...all, ...withoutFilter].map(throughPostfix) : all;
}
