/** Copies of advertisements that a law has advertising services keep. Who looks into one says under which case, and is written down. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Misuse } from "../kit/trouble.ts";
import type { AdCopies } from "../stores/ads/archive.ts";
import { defineCommand, defineGroup, needed, text, word } from "./globals.ts";
import { type Ground, withGround } from "./ground.ts";
import { clean, print, printJson, printTable, Refused } from "./output.ts";
import { parseInstant } from "./times.ts";
import { asOption, needAuditor, whoAsks } from "./who.ts";

const CASE = needed(text("number of the case, for the ledger"));
const LISTED_MAX = 100_000;

const list = defineCommand({
  command: "list",
  describe: "Which copies there are: day, mail and size; the ledger has the rest",
  builder: (args) =>
    args
      .option("since", text("first day: 2026-11-01"))
      .option("until", text("last day"))
      .example("$0 ad-archive list --since 2026-11-01", "ledger find --id ID tells more of one"),
  handler: (options) =>
    withGround(options.config, async (ground) => {
      const copies = await openCopies(ground);
      const items = [];
      for await (const copy of copies.list(dayOf("since", options.since), dayOf("until", options.until))) {
        items.push({ row: [copy.day, copy.mailId, String(copy.bytes)], value: copy });
        if (items.length === LISTED_MAX)
          throw new Misuse(`more than ${LISTED_MAX} copies: name days, --since, --until`);
      }
      await printTable(options, ["DAY", "MAIL", "BYTES"], items);
    }),
});

const show = defineCommand({
  command: "show <id>",
  describe: "One copy, as the mail was sent",
  builder: (args) =>
    args
      .positional("id", word("id of the mail"))
      .option("case", CASE)
      .option("as", asOption)
      .example("$0 ad-archive show 01M812GDAQYHTC30000PTYW --case 2026-118", "for auditors"),
  handler: (options) =>
    withGround(options.config, async (ground) => {
      const asker = askerOf(ground, options.as);
      const copies = await openCopies(ground);
      const found = await copies.read(options.id);
      if (!found) throw new Refused(`there is no copy of ${clean(options.id)}; consentry ad-archive list names them`);
      await note(ground, { actor: asker, reference: options.case, copies: 1, mailId: options.id });
      if (options.json) return printJson({ id: options.id, day: found.day, mail: found.mail.toString("latin1") });
      await print(...found.mail.toString("utf8").split(/\r?\n/).map(clean));
    }),
});

const exported = defineCommand({
  command: "export",
  describe: "Copies as .eml files in a directory",
  builder: (args) =>
    args
      .option("since", needed(text("first day: 2026-11-01")))
      .option("until", needed(text("last day")))
      .option("out", needed(text("the directory, new or empty of such files")))
      .option("case", CASE)
      .option("as", asOption)
      .example("$0 ad-archive export --since 2026-11-01 --until 2026-11-07 --out case-118 --case 2026-118", ""),
  handler: (options) =>
    withGround(options.config, async (ground) => {
      const asker = askerOf(ground, options.as);
      const copies = await openCopies(ground);
      const about = { actor: asker, reference: options.case };
      const [since, until] = [dayOf("since", options.since), dayOf("until", options.until)];
      // Written down before anything is handed out.
      await note(ground, { ...about, copies: 0, days: `${since} to ${until}` });
      mkdirSync(options.out, { recursive: true, mode: 0o700 });
      let count = 0;
      for await (const { mailId } of copies.list(since, until)) {
        const found = await copies.read(mailId);
        if (!found) continue;
        writeFileSync(join(options.out, `${mailId}.eml`), found.mail, { mode: 0o600, flag: "wx" });
        count += 1;
      }
      await note(ground, { ...about, copies: count, days: `${since} to ${until}` });
      await (options.json ? printJson({ copies: count, directory: options.out }) : print(`${count} copies exported`));
    }),
});

async function openCopies({ config, clock }: Ground): Promise<AdCopies> {
  const { adCopiesOf } = await import("../stores/open-ads.ts");
  return adCopiesOf(config, clock);
}

/** @throws Refused */
function askerOf({ config }: Ground, as: string | undefined): string {
  const asker = whoAsks(config, as);
  needAuditor(asker);
  return asker.name;
}

interface Look {
  readonly actor: string;
  readonly reference: string;
  readonly copies: number;
  readonly mailId?: string;
  readonly days?: string;
}

/** Before anything is shown: what cannot be written down is not shown. */
function note(ground: Ground, { actor, reference, copies, mailId, days }: Look): Promise<void> {
  if (!/^[\x20-\x7e]{1,100}$/.test(reference)) throw new Misuse("--case: 1 to 100 ASCII characters");
  return ground.record({
    event: "ad-archive-read",
    actor,
    ...(mailId !== undefined && { mailId }),
    evidence: { case: reference, copies, ...(days !== undefined && { days }) },
  });
}

/** @throws Misuse */
function dayOf(option: string, given: string | undefined): string | undefined {
  if (given !== undefined && !parseInstant(given)?.day)
    throw new Misuse(`--${option} "${given}": expected a day such as 2026-11-22`);
  return given;
}

export const adArchive = defineGroup("ad-archive", "Copies of advertisements that a law has services keep", [
  list,
  show,
  exported,
]);
