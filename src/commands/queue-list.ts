import type { Listed, SpoolDesk } from "../delivery/queue/spool.ts";
import { count, defineCommand, text, word } from "./globals.ts";
import { withGround } from "./ground.ts";
import { readId } from "./ledger-ask.ts";
import { clean, jsonLine, print, printAll, printJson, Refused } from "./output.ts";
import { mailLine, readFilter, shownMail, withSpool } from "./queue-desk.ts";
import { asOption, needAuditor, whoAsks } from "./who.ts";

const STATES = ["arriving", "queued", "leased", "deferred", "held"] as const;

/** Options that filter, for every command that takes them. */
export const filterOptions = {
  destination: text("where it goes: a domain, or the next hop as `queue destinations` names it"),
  client: text("id of the registered client it came from"),
  sender: text("part of the sender's address"),
  recipient: text("part of a recipient's"),
  before: text("arrived before: a time, or so long ago: 2h 3d"),
} as const;

export const list = defineCommand({
  command: "list",
  describe: "The mails in the queue, oldest first, as they are read",
  builder: (args) =>
    args
      .options(filterOptions)
      .option("state", { choices: STATES, describe: "only those that are so" })
      .option("limit", count("no more than so many"))
      .option("as", asOption)
      .example("$0 queue list --destination example.net --json", "one mail a line, for programs"),
  handler: (options) =>
    withGround(options.config, async (ground) => {
      const asker = whoAsks(ground.config, options.as);
      const { state, limit } = options;
      const filter = { ...readFilter(options, ground.clock.now()), ...(state && { state }), ...(limit && { limit }) };
      await withSpool(ground, (desk) => printMails(desk.list(filter), options.json, asker.role !== "auditor"));
    }),
});

export async function printMails(mails: AsyncIterable<Listed>, json: boolean, masked: boolean): Promise<void> {
  async function* lines(): AsyncGenerator<string> {
    for await (const each of mails) {
      const shown = shownMail(each, masked);
      yield `${json ? jsonLine(shown) : clean(mailLine(shown))}\n`;
    }
  }
  await printAll(lines());
}

export const oldest = defineCommand({
  command: "oldest",
  describe: "The mails that have waited longest, held ones left out",
  builder: (args) =>
    args.option("limit", count("how many; default 10")).option("as", asOption).example("$0 queue oldest --limit 3", ""),
  handler: (options) =>
    withGround(options.config, async (ground) => {
      const masked = whoAsks(ground.config, options.as).role !== "auditor";
      await withSpool(ground, (desk) => printMails(waiting(desk, options.limit ?? 10), options.json, masked));
    }),
});

async function* waiting(desk: SpoolDesk, limit: number): AsyncGenerator<Listed> {
  let left = limit;
  for await (const each of desk.list({})) {
    if (left <= 0) return;
    if (each.state === "held") continue;
    left -= 1;
    yield each;
  }
}

export const destinations = defineCommand({
  command: "destinations",
  describe: "How many mails wait for each destination, when it is tried next, and what it said last",
  builder: (args) => args.example("$0 queue destinations", "why nothing leaves, and when it is tried again"),
  handler: (options) =>
    withGround(options.config, (ground) =>
      withSpool(ground, async (desk) => {
        async function* lines(): AsyncGenerator<string> {
          for await (const each of desk.destinations()) {
            const { nextAt, untilMs, suspended, ...rest } = each;
            const shown = {
              ...rest,
              ...(nextAt !== undefined && { nextAt: timeOf(nextAt) }),
              ...(untilMs !== undefined && { untilMs: timeOf(untilMs) }),
              ...(suspended && { suspended: { ...suspended, since: timeOf(suspended.since) } }),
            };
            const state = suspended
              ? `suspended by ${suspended.by} ${suspended.reason ?? ""}`
              : `next ${nextAt === undefined ? "-" : timeOf(nextAt)}  ${each.failures > 0 ? `failed ${each.failures} times: ${each.last ?? ""}` : ""}`;
            const line = `${each.destination}  ${each.mails} mails  ${state}`;
            yield `${options.json ? jsonLine(shown) : clean(line.trimEnd())}\n`;
          }
        }
        await printAll(lines());
      }),
    ),
});

const timeOf = (ms: number): string => new Date(ms).toISOString();

export const showBuilder = {
  body: { type: "boolean", default: false, describe: "the whole mail; for auditors" },
  as: asOption,
} as const;

export const show = defineCommand({
  command: "show <id>",
  describe: "One mail: how it stands with each recipient, and its headers",
  builder: (args) =>
    args
      .positional("id", word("the mail's id"))
      .options(showBuilder)
      .example("$0 queue show 01M812GDN5YHTC30000ZE78", ""),
  handler: (options) => showMail(options),
});

/** Also for `hold show`. */
export function showMail(options: {
  id: string;
  config: string;
  json: boolean;
  body: boolean;
  as?: string | undefined;
}): Promise<void> {
  return withGround(options.config, async (ground) => {
    const asker = whoAsks(ground.config, options.as);
    if (options.body) needAuditor(asker);
    await withSpool(ground, async (desk) => {
      const found = await desk.find(readId(options.id));
      if (!found)
        throw new Refused(`${options.id} is not in the queue; consentry trace ${options.id} tells what became of it`);
      const shown = shownMail(found, asker.role !== "auditor");
      const content = asker.role === "auditor" ? await contentOf(desk, found, options.body) : undefined;
      if (options.json) return printJson({ ...shown, ...(content !== undefined && { content }) });
      await print(clean(mailLine(shown)));
      for (const { recipient, state, attempts, last } of shown.recipients) {
        await print(
          clean(
            `  ${recipient}  ${state}, ${attempts} attempts${last ? `, last ${last.at}: ${last.code} ${last.reply}` : ""}`,
          ),
        );
      }
      if (content !== undefined)
        await print("", ...content.split(/\r?\n/).map((line) => clean(line.replaceAll("\t", "    "))));
    });
  });
}

const HEADER_CHARS_MAX = 262_144;

async function contentOf(desk: SpoolDesk, { mail }: Listed, isWhole: boolean): Promise<string> {
  const { read } = await desk.content(mail);
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of read()) {
    pieces.push(piece);
    bytes += piece.length;
    if (!isWhole && bytes >= HEADER_CHARS_MAX) break;
  }
  const all = Buffer.concat(pieces);
  const end = all.indexOf("\r\n\r\n");
  return (isWhole || end < 0 ? all : all.subarray(0, end)).toString();
}
