import type { Entry } from "../ledger/entry.ts";
import { maskEntry } from "../ledger/masking.ts";
import type { LedgerReader } from "../ledger/query.ts";
import { type Timeline, timelineOf } from "../ledger/timeline.ts";
import { defineCommand, text, word } from "./globals.ts";
import { type Ground, withGround } from "./ground.ts";
import { noteLookUp, readId } from "./ledger-ask.ts";
import { ledgerTools } from "./ledger-tools.ts";
import { clean, print, printJson, Refused } from "./output.ts";
import { asOption, whoAsks } from "./who.ts";

export const explain = defineCommand({
  command: "explain <id>",
  describe: "The whole life of one mail, in the order of time",
  builder: (args) =>
    args
      .positional("id", word("id of a mail or an entry, as the replies name it, or the MTA's queue id"))
      .option("case", text("case or request number this is for; kept in the ledger"))
      .option("as", asOption)
      .example("$0 ledger explain 01M812GDN5YHTC30000ZE78", "")
      .epilogue("Operators who are not named in ledger.auditors see masked addresses. The look is itself an entry."),
  handler: (options) => withGround(options.config, (ground) => explainMail(ground, options, (lives) => lives)),
});

interface Asked {
  readonly id: string;
  readonly json: boolean;
  readonly case?: string | undefined;
  readonly as?: string | undefined;
}

/** Prints the whole life of a mail, and notes the look. @param document what is printed with --json */
export async function explainMail(
  ground: Ground,
  options: Asked,
  document: (lives: readonly Timeline[]) => unknown,
): Promise<void> {
  const asker = whoAsks(ground.config, options.as);
  const { reader } = await ledgerTools(ground);
  const asked = { explain: options.id, ...(options.case !== undefined && { case: options.case }) };
  const lookUp = await noteLookUp(ground, asker.name, asked);
  const mails = await livesOf(options.id, reader);
  await lookUp.end(mails.reduce((sum, { entries }) => sum + entries.length, 0));
  if (mails.length === 0) throw new Refused(`there is no entry of ${options.id}`);
  const seen = asker.role === "auditor" ? (entry: Entry) => entry : maskEntry;
  const lives = mails.map(({ mailId, entries }) => timelineOf(mailId, entries.map(seen)));
  await (options.json ? printJson(document(lives)) : print(...lives.flatMap(inWords)));
}

interface Life {
  readonly mailId: string;
  readonly entries: readonly Entry[];
}

/** A mail has few entries, one or two for each recipient; whoever has more is told the first. */
const ENTRIES_MAX = 10_000;

/** The mails an id belongs to: a queue id may have been used again. What is no mail's is a life of its own. */
export async function livesOf(id: string, reader: LedgerReader): Promise<Life[]> {
  const named = await collect(reader, readId(id));
  const mailIds = [...new Set(named.flatMap(({ mailId }) => mailId ?? []))];
  if (mailIds.length === 0) return named.length === 0 ? [] : [{ mailId: id, entries: named }];
  const lives: Life[] = [];
  for (const mailId of mailIds) lives.push({ mailId, entries: await collect(reader, mailId) });
  return lives;
}

async function collect(reader: LedgerReader, id: string): Promise<Entry[]> {
  const entries: Entry[] = [];
  for await (const entry of reader.find({ id }, { limit: ENTRIES_MAX })) entries.push(entry);
  return entries;
}

function inWords({ mailId, facts, steps, ends }: Timeline): string[] {
  const width = Math.max(0, ...facts.map(([name]) => name.length));
  return [
    `mail ${mailId}`,
    ...facts.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`),
    ...steps.map(
      ({ at, afterMs, says }, index) => `${stamp(at)}  ${(index === 0 ? "" : `+${afterMs} ms`).padStart(11)}  ${says}`,
    ),
    ...ends.map(([recipient, end]) => `  ${recipient}: ${end}`),
  ].map(clean);
}

const stamp = (at: number): string => new Date(at).toISOString();
