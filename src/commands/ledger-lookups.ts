import type { Entry } from "../ledger/entry.ts";
import { type PastLookUp, pastLookUps } from "../ledger/lookups.ts";
import type { LedgerReader } from "../ledger/query.ts";
import { samePerson } from "../ledger/requests.ts";
import { defineCommand, text } from "./globals.ts";
import { withGround } from "./ground.ts";
import { factsInWords, noteLookUp, readSpan, sinceOption, type TimeSpan, untilOption } from "./ledger-ask.ts";

import { ledgerTools } from "./ledger-tools.ts";
import { columns, jsonLine, printAll } from "./output.ts";
import { asOption, needAuditor, whoAsks } from "./who.ts";

export const lookups = defineCommand({
  command: "lookups",
  describe: "Who searched the ledger for what, when, and how much was shown",
  builder: (args) =>
    args
      .option("by", text("only searches of this person"))
      .option("case", text("only for this case"))
      .option("since", sinceOption)
      .option("until", untilOption)
      .option("as", asOption)
      .example("$0 ledger lookups --since 1w", "")
      .example("$0 ledger lookups --by ann --json", "one JSON document a line"),
  handler: (options) =>
    withGround(options.config, async (ground) => {
      const asker = whoAsks(ground.config, options.as);
      needAuditor(asker);
      const span = readSpan(options, ground.clock.now());
      const { reader } = await ledgerTools(ground);
      const lookUp = await noteLookUp(ground, asker.name, { lookups: true, ...given(options) });
      const wanted = ({ actor, asked }: PastLookUp): boolean =>
        (options.by === undefined || samePerson(actor, options.by)) &&
        (options.case === undefined || asked.case === options.case);
      const count = { shown: 0 };
      await printAll(lines(inTime(reader, span), { wanted, json: options.json, count }));
      await lookUp.end(count.shown);
    }),
});

const given = ({ by, case: caseNumber, since, until }: Record<string, unknown>): Record<string, string> =>
  Object.fromEntries(
    Object.entries({ by, case: caseNumber, since, until }).flatMap(([name, value]) =>
      typeof value === "string" ? [[name, value]] : [],
    ),
  );

/** Beginnings and ends of searches in one stream, in the order of time. */
async function* inTime(reader: LedgerReader, span: TimeSpan): AsyncGenerator<Entry> {
  const ends = reader.find({ ...span, event: "look-up-ended" })[Symbol.asyncIterator]();
  let end = await ends.next();
  for await (const begin of reader.find({ ...span, event: "looked-up" })) {
    for (; !end.done && end.value.at < begin.at; end = await ends.next()) yield end.value;
    yield begin;
  }
  for (; !end.done; end = await ends.next()) yield end.value;
}

interface Showing {
  readonly wanted: (past: PastLookUp) => boolean;
  readonly json: boolean;
  readonly count: { shown: number };
}

const WIDTHS = [24, 12, 9];

async function* lines(entries: AsyncIterable<Entry>, { wanted, json, count }: Showing): AsyncGenerator<string> {
  for await (const past of pastLookUps(entries)) {
    if (!wanted(past)) continue;
    count.shown += 1;
    const { at, actor, asked, hits } = past;
    const when = new Date(at).toISOString();
    const seen = hits === undefined ? "no end" : `${hits} hit${hits === 1 ? "" : "s"}`;
    yield `${json ? jsonLine({ ...past, at: when }) : columns([when, actor, seen, factsInWords(asked)], WIDTHS)}\n`;
  }
}
