import type { Entry } from "../ledger/entry.ts";
import type { Consent, Proof } from "../registers/consents.ts";
import { misused, pairOf } from "./consent-word.ts";
import { defineCommand, needed, text, word } from "./globals.ts";
import { type Ground, withGround } from "./ground.ts";
import { clean, print, printJson, Refused } from "./output.ts";

export const show = defineCommand({
  command: "show <recipient>",
  describe: "One consent as a proof sheet, for the recipient, a court or an authority",
  builder: (args) =>
    args
      .positional("recipient", word("the recipient's address"))
      .option("advertiser", needed(text("id of a registered client, else the domain that writes as From")))
      .example("$0 consent show li@mail.example --advertiser shop", "who, when, how, to which text, from where")
      .example("$0 consent show li@mail.example --advertiser shop --json", "for programs"),
  handler: (options) =>
    withGround(options.config, async (ground) => {
      const { advertiser, recipient } = await misused(() => pairOf(ground, options));
      const { consents } = await ground.registers();
      const [consent] = await consents.find(advertiser, [recipient]);
      if (!consent) throw new Refused(`${clean(recipient)} has said nothing to ${clean(advertiser)}`);
      const proofs = await consents.proofs(advertiser, recipient);
      const sheet = sheetOf(consent, proofs, await entriesOf(ground, consent), ground.clock.now());
      await (options.json ? printJson(sheet) : print(...linesOf(sheet).map(clean)));
    }),
});

type Recorded = Awaited<ReturnType<typeof entriesOf>>;

/** What the ledger of this node has of it. */
async function entriesOf(ground: Ground, { advertiser, recipient }: Consent) {
  if (!ground.hasJournal()) return [];
  const found: Pick<Entry, "id" | "at" | "event" | "actor">[] = [];
  const journal = await ground.journal();
  for await (const entry of journal.find({ recipient })) {
    if (!entry.event.startsWith("consent-") || entry.evidence?.advertiser !== advertiser) continue;
    found.push({
      id: entry.id,
      at: entry.at,
      event: entry.event,
      ...(entry.actor !== undefined && { actor: entry.actor }),
    });
  }
  return found;
}

const iso = (ms: number): string => new Date(ms).toISOString();

function sheetOf(
  consent: Consent,
  proofs: readonly { grantedAtMs: number; proof: Proof }[],
  entries: Recorded,
  nowMs: number,
) {
  const { recipient, advertiser, withdrawnAtMs, grantedAtMs, topics, limit, hours, bounces } = consent;
  const everAgreed = proofs.length > 0;
  return {
    recipient,
    advertiser,
    printedAt: iso(nowMs),
    state:
      withdrawnAtMs === undefined ? ("stands" as const) : everAgreed ? ("withdrawn" as const) : ("refused" as const),
    ...(withdrawnAtMs !== undefined && { withdrawnAt: iso(withdrawnAtMs) }),
    ...(everAgreed && {
      covers: {
        topics,
        ...(limit && { number: limit.max, inHours: limit.windowMs / 3_600_000 }),
        ...(hours !== undefined && { hours }),
      },
    }),
    ...(bounces && { cameBack: { mails: bounces.count, last: iso(bounces.lastMs) } }),
    given: proofs.map((each) => ({
      at: iso(each.grantedAtMs),
      inForce: withdrawnAtMs === undefined && each.grantedAtMs === grantedAtMs,
      ...each.proof,
    })),
    ledger: entries.map(({ at, ...entry }) => ({ at: iso(at), ...entry })),
  };
}

type Sheet = ReturnType<typeof sheetOf>;

function linesOf({
  recipient,
  advertiser,
  printedAt,
  state,
  withdrawnAt,
  covers,
  cameBack,
  given,
  ledger,
}: Sheet): string[] {
  return [
    "Proof of consent to advertising by e-mail",
    "",
    line("recipient", recipient),
    line("advertiser", advertiser),
    line("state", withdrawnAt === undefined ? state : `${state} on ${withdrawnAt}`),
    ...(covers ? coverLines(covers) : []),
    ...(cameBack
      ? [
          line(
            "came back",
            `${cameBack.mails} ${cameBack.mails === 1 ? "mail" : "mails"} for good, the last on ${cameBack.last}`,
          ),
        ]
      : []),
    ...given.flatMap((each, index) => ["", `word ${index + 1} of ${given.length}`, ...proofLines(each)]),
    ...(ledger.length > 0 ? ["", "in the ledger"] : []),
    ...ledger.map(
      ({ at, event, actor, id }) => `  ${at}  ${event}  ${actor === undefined ? "" : `by ${actor}  `}entry ${id}`,
    ),
    "",
    `printed ${printedAt}`,
  ];
}

const line = (name: string, value: string): string => `  ${name.padEnd(18)} ${value}`;

const coverLines = ({ topics, number, inHours, hours }: NonNullable<Sheet["covers"]>): string[] => [
  line("kinds of product", topics.length > 0 ? topics.join(", ") : "all"),
  line("greatest number", number === undefined ? "none named" : `${number} in ${inHours} hours`),
  line("hours", hours ?? "any"),
];

const NAMES = {
  how: "how",
  text: "text agreed to",
  textVersion: "version of the text",
  ip: "from address",
  reference: "evidence kept at",
  documentSha256: "document, SHA-256",
  recordedBy: "recorded by",
} as const satisfies Partial<Record<keyof Proof, string>>;

const proofLines = (given: Sheet["given"][number]): string[] => [
  line("when", `${given.at}${given.inForce ? " (in force)" : ""}`),
  ...Object.entries(NAMES).flatMap(([key, name]) => {
    const value = given[key as keyof typeof NAMES];
    return value === undefined ? [] : [line(name, value)];
  }),
];
