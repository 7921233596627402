import { canonicalIp, canonicalRange, isIpRange } from "../kit/ip.ts";
import { Misuse } from "../kit/trouble.ts";
import { BLOCKABLE_BITS, type Block } from "../signals/blocks.ts";
import { clientSubject, isClientSubject } from "../signals/subject.ts";
import { ARTICLES } from "../signals/warden.ts";
import { actorOption, defineCommand, defineGroup, text, word } from "./globals.ts";
import { actorName, type Ground, recordChange, withGround } from "./ground.ts";
import { clean, print, printJson, printTable, Refused, remark } from "./output.ts";
import { parseEnd } from "./times.ts";

const subject = word("an address, a network (CIDR), or client:ID");
const DEFAULT_FOR = "24h";

const list = defineCommand({
  command: "list",
  describe: "Who is blocked now, until when and why",
  builder: (args) => args.example("$0 block list --json", "for programs"),
  handler: (options) =>
    withGround(options.config, async (ground) => {
      const { blocks } = await ground.registers();
      const found: Block[] = [];
      for await (const block of blocks.active()) found.push(block);
      found.sort((a, b) => a.untilMs - b.untilMs || (a.subject < b.subject ? -1 : 1));
      const items = found.map((block) => ({ row: rowOf(block), value: shown(block) }));
      await printTable(options, ["SUBJECT", "ACTION", "REASON", "FROM", "UNTIL", "BY", "ARTICLE", "NOTE"], items);
    }),
});

const add = defineCommand({
  command: "add <subject>",
  describe: "Block an address, a network or a client for a time; it holds everywhere within seconds",
  builder: (args) =>
    args
      .positional("subject", subject)
      .option("for", text(`how long: 90s 30m 2h 3d 1w; default ${DEFAULT_FOR}`))
      .option("until", text("or until when: 2026-11-22T10:30Z"))
      .option("action", {
        choices: ["refuse", "hold"] as const,
        default: "refuse" as const,
        describe: "refuse: 554; hold: 451 until somebody has looked",
      })
      .option("article", text("what it rests on; default: Order 38 art. 7"))
      .option("note", text("why, for whoever asks later"))
      .option("actor", actorOption)
      .example("$0 block add 203.0.113.0/24 --for 3d --note 'report 2026-118'", "")
      .example("$0 block add client:shop --action hold --for 1d", "its mail waits at its own server"),
  handler: (options) =>
    withGround(options.config, async (ground) => {
      const { blocks } = await ground.registers();
      const fromMs = ground.clock.now();
      const by = actorName(options.actor);
      const block: Block = {
        subject: await readSubject(ground, options.subject),
        action: options.action,
        reason: "operator",
        article: readArticle(options.article),
        fromMs,
        untilMs: parseEnd(options, DEFAULT_FOR, fromMs),
        by,
        times: 1,
        ...(options.note !== undefined && { note: options.note }),
      };
      await blocks.put(block);
      await note(ground, "block-added", block, by);
      await (options.json
        ? printJson(shown(block))
        : print(`${clean(block.subject)}: blocked until ${timeOf(block.untilMs)}`));
    }),
});

const remove = defineCommand({
  command: "remove <subject>",
  describe: "End a block now; what was counted before counts no more",
  builder: (args) =>
    args
      .positional("subject", subject)
      .option("actor", actorOption)
      .example("$0 block remove client:shop", "after the password was changed"),
  handler: (options) =>
    withGround(options.config, async (ground) => {
      const { blocks } = await ground.registers();
      const name = await readSubject(ground, options.subject);
      const block = await blocks.lift(name);
      if (!block) throw new Refused(`${clean(name)} is not blocked; consentry block list names who is`);
      await note(ground, "block-removed", block, actorName(options.actor));
      await (options.json ? printJson(shown(block)) : print(`${clean(name)}: no longer blocked`));
    }),
});

/** As the register knows it. @throws Misuse for what is neither; a client that is not registered is only remarked on */
async function readSubject(ground: Ground, given: string): Promise<string> {
  if (isClientSubject(given)) {
    const subjectOf = clientSubject(given.slice("client:".length).toLowerCase());
    const { clients } = await ground.registers();
    const exists = (await clients.list()).some(({ id }) => clientSubject(id) === subjectOf);
    if (!exists) remark(`note: there is no ${clean(subjectOf)} now`);
    return subjectOf;
  }
  if (!isIpRange(given)) throw new Misuse(`"${given}": expected an address, a CIDR range or client:ID`);
  const single = canonicalIp(given);
  const range = canonicalRange(single === undefined ? given : `${single}/${single.includes(":") ? 128 : 32}`) ?? given;
  const bits = Number(range.split("/")[1]);
  const allowed = range.includes(":") ? BLOCKABLE_BITS.v6 : BLOCKABLE_BITS.v4;
  if (allowed.includes(bits)) return range;
  const lengths = range.includes(":") ? "/16, /20, /24 … /128" : "/8 to /32";
  throw new Misuse(`"${given}": networks can be blocked from ${lengths}`);
}

function readArticle(given: string | undefined): string {
  if (given === undefined) return ARTICLES.operator;
  if (/^[\x20-\x7e]{3,80}$/.test(given)) return given;
  throw new Misuse("--article: 3 to 80 ASCII characters, as the client hears them");
}

async function note(ground: Ground, event: "block-added" | "block-removed", block: Block, by: string): Promise<void> {
  const { blockEntry } = await import("../doors/block-entry.ts");
  await recordChange(ground, blockEntry(event, block, by));
}

const timeOf = (ms: number): string => new Date(ms).toISOString();

const rowOf = ({ subject: name, action, reason, fromMs, untilMs, by, article, note: words }: Block): string[] => [
  name,
  action,
  reason,
  timeOf(fromMs),
  timeOf(untilMs),
  by,
  article,
  words ?? "-",
];

/** Times as people and other programs read them. */
const shown = ({ fromMs, untilMs, liftedAtMs, ...block }: Block) => ({
  ...block,
  from: timeOf(fromMs),
  until: timeOf(untilMs),
  ...(liftedAtMs !== undefined && { removedAt: timeOf(liftedAtMs) }),
});

export const block = defineGroup("block", "Who may not send for a time", [list, add, remove]);
