import { isIpRange } from "../kit/ip.ts";
import { Misuse } from "../kit/trouble.ts";
import type { Entry } from "../ledger/entry.ts";
import type { Search } from "../ledger/journal.ts";
import { parseAddress } from "../mail/path.ts";
import { count, defineCommand, defineGroup, text } from "./globals.ts";
import { actorName, type Ground, withGround } from "./ground.ts";
import { LEDGER_MEMBERS } from "./ledger-members.ts";
import { clean, jsonLine, printAll, Refused, remark } from "./output.ts";
import { DAY_MS, parseMoment } from "./times.ts";

const find = defineCommand({
  command: "find",
  describe: "Look for entries, oldest first; also while the server runs",
  builder: (args) =>
    args
      .option("from", text("sender; '' or '<>' for bounces"))
      .option("to", text("recipient"))
      .option("ip", text("client address, or a CIDR range"))
      .option("since", text("2026-11-22, 2026-11-22T10:30Z, or how long ago: 90s 30m 2h 3d 1w"))
      .option("until", text("the same; a day is meant to its end"))
      .option("id", text("id of a mail or an entry, as the replies name it"))
      .option("limit", count("at most so many"))
      .option("case", text("case or request number this is for; kept in the ledger"))
      .option("actor", text("who looks, for the ledger; default: your user name"))
      .example("$0 ledger find --to li@mail.example --since 2h", "what became of a mail")
      .example("$0 ledger find --ip 192.0.2.0/24 --since 2026-11-01 --json", "one JSON document a line")
      .epilogue("A look into the ledger is itself an entry of it."),
  handler: (options) =>
    withGround(options.config, async (ground) => {
      const search = readSearch(options, ground.clock.now());
      const limit = readLimit(options.limit);
      if (!ground.hasJournal()) throw new Refused(`there is no ledger in ${ground.config.dataDir} yet`);
      await noteLook(ground, options);
      const show = options.json ? jsonLine : inWords;
      const count = { shown: 0 };
      await printAll(shownEntries((await ground.journal()).find(search), { limit, show, count }));
      if (count.shown === 0) remark("no entry matches");
    }),
});

interface Wanted {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly ip?: string | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly id?: string | undefined;
}

/** @throws Misuse naming the option that does not do */
export function readSearch({ from, to, ip, since, until, id }: Wanted, nowMs: number): Search {
  if (ip !== undefined && !isIpRange(ip)) throw new Misuse(`--ip "${ip}": expected an address or a CIDR range`);
  const first = since === undefined ? undefined : parseMoment(since, "since", nowMs).ms;
  const last = until === undefined ? undefined : parseMoment(until, "until", nowMs);
  // Without an end, whatever comes in while we look (this look is an entry too) stays outside.
  const end = last === undefined ? nowMs : last.day ? last.ms + DAY_MS : last.ms;
  if (first !== undefined && first >= end) throw new Misuse("--since is not before --until");
  return {
    ...(from !== undefined && { sender: from === "" || from === "<>" ? "" : readAddress(from, "from") }),
    ...(to !== undefined && { recipient: readAddress(to, "to") }),
    ...(ip !== undefined && { ip }),
    ...(id !== undefined && { id: id.toUpperCase() }),
    ...(first !== undefined && { sinceMs: first }),
    untilMs: end,
  };
}

/** As the ledger writes it: IDN domains in A-labels. */
function readAddress(text: string, option: string): string {
  const address = parseAddress(text);
  if (!address) throw new Misuse(`--${option} "${text}": expected local-part@domain`);
  return address.text;
}

function readLimit(limit: number | undefined): number {
  if (limit === undefined) return Number.POSITIVE_INFINITY;
  if (!Number.isInteger(limit) || limit < 1) throw new Misuse("--limit: expected a whole number above 0");
  return limit;
}

/** Written before anything is shown: nobody reads in the ledger unseen. */
function noteLook(
  ground: Ground,
  options: Wanted & { case?: string | undefined; actor?: string | undefined },
): Promise<void> {
  const { from, to, ip, since, until, id, case: caseNumber } = options;
  const asked = Object.entries({ from, to, ip, since, until, id, case: caseNumber });
  return ground.record({
    event: "looked-up",
    actor: actorName(options.actor),
    evidence: Object.fromEntries(asked.flatMap(([name, text]) => (text === undefined ? [] : [[name, text]]))),
  });
}

interface Showing {
  readonly limit: number;
  readonly show: (entry: Entry) => string;
  readonly count: { shown: number };
}

async function* shownEntries(entries: AsyncIterable<Entry>, { limit, show, count }: Showing): AsyncGenerator<string> {
  for await (const entry of entries) {
    yield `${show(entry)}\n`;
    count.shown += 1;
    if (count.shown >= limit) return;
  }
}

/** One entry in one line, what it is about first. */
export function inWords(entry: Entry): string {
  const { at, event, sender, recipient, clientIp, verdict, rules, articles, reply, mailId, actor, client, evidence } =
    entry;
  const who = [sender === "" ? "<>" : sender, recipient].filter((text) => text !== undefined).join(" → ");
  const parts = [
    new Date(at).toISOString(),
    event.padEnd(17),
    who,
    clientIp,
    client && `client ${client}`,
    verdict,
    rules?.join(" "),
    articles?.join("; "),
    reply,
    evidence && factsOf(evidence),
    actor && `by ${actor}`,
    mailId,
  ];
  return clean(parts.filter((part) => part !== undefined && part !== "").join("  "));
}

/** Facts as words: "advertiser shop, recipients 3". */
export const factsOf = (facts: Readonly<Record<string, string | number | boolean>>): string =>
  Object.entries(facts)
    .map(([name, value]) => `${name} ${value}`)
    .join(", ");

export const ledger = defineGroup("ledger", "What happened to each mail", [find, ...LEDGER_MEMBERS]);
