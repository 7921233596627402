/** What a client declares before it sends; while it has a declaration, it sends nothing else (rule conduct/campaign). */
import { Misuse } from "../kit/trouble.ts";
import type { Campaign } from "../mail/client.ts";
import { needClient, noteChange, said } from "./client-change.ts";
import { campaignWords } from "./client-lines.ts";
import { actorOption, count, defineCommand, defineGroup, needed, text, texts, word } from "./globals.ts";
import { withGround } from "./ground.ts";
import { clean, print, printJson, Refused } from "./output.ts";
import { parseInstant } from "./times.ts";

const add = defineCommand({
  command: "add <id> <name>",
  describe: "Declare a campaign: sender, HELO, addresses, number, rate and time",
  builder: (args) =>
    args
      .positional("id", word("which client"))
      .positional("name", word("a name for it, such as winter-2026"))
      .option("sender", needed(texts("address it writes as, or @domain")))
      .option("helo", texts("name it says in HELO; default: any"))
      .option("network", texts("address or CIDR range it comes from; default: any"))
      .option("recipients", needed(count("how many at most, in all")))
      .option("per-minute", count("how many at most in a minute"))
      .option("from", needed(text("when it begins: 2026-12-01T08:00+08:00")))
      .option("until", needed(text("when it ends")))
      .option("actor", actorOption)
      .example(
        "$0 client campaign add shop winter --sender news@shop.example --recipients 50000 --per-minute 600 --from 2026-12-01 --until 2026-12-08",
        "",
      )
      .epilogue(
        "While a client has a campaign here, mail that fits none of them is refused: remove it when it is over.",
      ),
  handler: (options) =>
    withGround(options.config, async (ground) => {
      const old = await needClient(ground, options.id);
      const name = options.name.toLowerCase();
      if (old.campaigns?.some((each) => each.name === name)) {
        throw new Refused(
          `${clean(old.id)} has a campaign ${clean(name)} already; client campaign remove takes it away`,
        );
      }
      const declared: Campaign = {
        name,
        senders: options.sender.map((sender) => sender.toLowerCase()),
        helo: (options.helo ?? []).map((helo) => helo.toLowerCase()),
        networks: options.network ?? [],
        recipientsMax: options.recipients,
        ...(options.perMinute !== undefined && { perMinuteMax: options.perMinute }),
        fromMs: moment("from", options.from),
        untilMs: moment("until", options.until),
      };
      const client = { ...old, campaigns: [...(old.campaigns ?? []), declared] };
      const { clients } = await ground.registers();
      await clients.save(client);
      await noteChange(ground, client, { actor: options.actor, change: `campaign ${name} declared`, old });
      await said(options, client, `declared ${campaignWords(declared)}`);
    }),
});

const remove = defineCommand({
  command: "remove <id> <name>",
  describe: "Take a declaration back; without any, a client is held to none",
  builder: (args) =>
    args
      .positional("id", word("which client"))
      .positional("name", word("which campaign"))
      .option("actor", actorOption)
      .example("$0 client campaign remove shop winter", ""),
  handler: (options) =>
    withGround(options.config, async (ground) => {
      const old = await needClient(ground, options.id);
      const name = options.name.toLowerCase();
      const { campaigns = [], ...rest } = old;
      const left = campaigns.filter((each) => each.name !== name);
      if (left.length === campaigns.length) throw new Refused(`${clean(old.id)} has no campaign ${clean(name)}`);
      const client = left.length > 0 ? { ...rest, campaigns: left } : rest;
      const { clients } = await ground.registers();
      await clients.save(client);
      await noteChange(ground, client, { actor: options.actor, change: `campaign ${name} removed`, old });
      await said(options, client, `campaign ${name} removed`);
    }),
});

const list = defineCommand({
  command: "list <id>",
  describe: "What a client has declared",
  builder: (args) => args.positional("id", word("which client")).example("$0 client campaign list shop --json", ""),
  handler: (options) =>
    withGround(options.config, async (ground) => {
      const { campaigns = [] } = await needClient(ground, options.id);
      if (options.json) return printJson(campaigns);
      await print(...(campaigns.length > 0 ? campaigns.map((each) => clean(campaignWords(each))) : ["none"]));
    }),
});

/** @throws Misuse */
function moment(option: string, given: string): number {
  const instant = parseInstant(given);
  if (!instant)
    throw new Misuse(`--${option} "${given}": expected a time such as 2026-12-01 or 2026-12-01T08:00+08:00`);
  return instant.ms;
}

export const campaign = defineGroup("campaign", "What a client declared it would send", [add, remove, list]);
