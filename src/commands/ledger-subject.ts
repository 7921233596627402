import type { Entry } from "../ledger/entry.ts";
import { dueAt } from "../ledger/keeping.ts";
import type { LedgerReader } from "../ledger/query.ts";
import type { Consent } from "../registers/consents.ts";
import { defineCommand, needed, text } from "./globals.ts";
import { type Ground, withGround } from "./ground.ts";
import { noteLookUp, readAddress, readSpan, sinceOption, untilOption } from "./ledger-ask.ts";
import { ledgerTools } from "./ledger-tools.ts";
import { clean, columns, jsonLine, print, printAll } from "./output.ts";
import { asOption, needAuditor, whoAsks } from "./who.ts";

export const subject = defineCommand({
  command: "subject",
  describe: "Everything kept about one address, for the person whose address it is",
  builder: (args) =>
    args
      .option("address", needed(text("whose")))
      .option("since", sinceOption)
      .option("until", untilOption)
      .option("case", text("number of the person's request; kept in the ledger"))
      .option("as", asOption)
      .example("$0 ledger subject --address li@mail.example --case P-12 > li.txt", "")
      .epilogue(
        "Be sure that it is the person who asks. Requests of authorities and who else looked are not told; --json prints one document a line.",
      ),
  handler: (options) =>
    withGround(options.config, async (ground) => {
      const asker = whoAsks(ground.config, options.as);
      needAuditor(asker);
      const address = readAddress(options.address, "address");
      const search = { address, ...readSpan(options, ground.clock.now()) };
      const { reader } = await ledgerTools(ground);
      const consents = await consentsOf(ground, address);
      const asked = { subject: address, ...(options.case !== undefined && { case: options.case }) };
      const lookUp = await noteLookUp(ground, asker.name, asked);
      const count = { shown: 0 };
      const entries = reader.find(search);
      if (options.json) await printAll(jsonLines(consents, entries, count));
      else {
        await print(...(await introduction(ground, address, { consents, reader })));
        await printAll(lines(entries, { address, count }));
        await print(ending(count.shown, ground.config.ledger.retentionDays));
      }
      await lookUp.end(count.shown);
    }),
});

async function consentsOf(ground: Ground, address: string): Promise<Consent[]> {
  const { readRecipient } = await import("./consent-csv.ts");
  const { consents } = await ground.registers();
  const found: Consent[] = [];
  for await (const consent of consents.ofRecipient(readRecipient(address))) found.push(consent);
  return found;
}

interface Known {
  readonly consents: readonly Consent[];
  readonly reader: LedgerReader;
}

async function introduction(ground: Ground, address: string, { consents, reader }: Known): Promise<string[]> {
  const [oldest] = await firstOf(reader.find({ address }, { limit: 1 }));
  const { retentionDays } = ground.config.ledger;
  const until =
    oldest === undefined ? "" : `; the oldest of them is deleted after ${day(dueAt(day(oldest.at), retentionDays))}`;
  return [
    `What ${ground.config.hostname} keeps about ${address}`,
    "",
    `Of each mail: when, from whom, to whom, from which address, what became of it. No subject, no contents, no file names.`,
    `The law asks for that record; it is kept ${retentionDays} days and then deleted${until}.`,
    "",
    consents.length === 0 ? "Consents to advertising: none recorded" : "Consents to advertising:",
    ...consents.map((consent) => clean(`  ${consentInWords(consent)}`)),
    "",
    "Mails:",
  ];
}

async function firstOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  for await (const item of items) return [item];
  return [];
}

const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

function consentInWords({ advertiser, grantedAtMs, withdrawnAtMs, proof }: Consent): string {
  if (withdrawnAtMs !== undefined) return `${advertiser}: refused on ${day(withdrawnAtMs)}`;
  return `${advertiser}: agreed on ${day(grantedAtMs)}, by ${proof.how}${proof.reference ? ` (${proof.reference})` : ""}`;
}

interface Showing {
  readonly address: string;
  readonly count: { shown: number };
}

const WIDTHS = [24, 16, 4];

async function* lines(entries: AsyncIterable<Entry>, { address, count }: Showing): AsyncGenerator<string> {
  for await (const { at, event, sender, recipient, clientIp, mailId, reply } of entries) {
    count.shown += 1;
    const sent = sender?.toLowerCase() === address.toLowerCase();
    const other = sent ? recipient : sender;
    const facts = [
      other === "" ? "<>" : (other ?? ""),
      clientIp && `client ${clientIp}`,
      reply,
      mailId && `mail ${mailId}`,
    ];
    yield `  ${columns([new Date(at).toISOString(), event, sent ? "to" : "from", facts.filter(Boolean).join("  ")], WIDTHS)}\n`;
  }
}

const ending = (count: number, retentionDays: number): string =>
  count === 0
    ? "  none in the last time that is kept"
    : `${count} entries; each is deleted when it has been kept ${retentionDays} days`;

async function* jsonLines(
  consents: readonly Consent[],
  entries: AsyncIterable<Entry>,
  count: { shown: number },
): AsyncGenerator<string> {
  for (const consent of consents) yield `${jsonLine({ consent })}\n`;
  for await (const entry of entries) {
    count.shown += 1;
    yield `${jsonLine({ entry })}\n`;
  }
}
