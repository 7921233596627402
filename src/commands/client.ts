import { systemClock } from "../kit/clock.ts";
import type { Client } from "../mail/client.ts";
import type { Usage } from "../signals/quotas.ts";
import { address } from "./client-address.ts";
import { campaign } from "./client-campaign.ts";
import { findClient, needClient, noteChange, said } from "./client-change.ts";
import { complaints } from "./client-complaints.ts";
import {
  CLEARABLE,
  changedClient,
  checkPacks,
  clientOptions,
  givenFields,
  givenLimits,
  kindOption,
  remarkFields,
} from "./client-fields.ts";
import { clientLines } from "./client-lines.ts";
import { resume, suspend } from "./client-suspend.ts";
import { actorOption, count, defineCommand, defineGroup, word } from "./globals.ts";
import { withGround } from "./ground.ts";
import { print, printJson, printTable, Refused, remark } from "./output.ts";
import { readPassword } from "./password.ts";

const add = defineCommand({
  command: "add <id>",
  describe: "Register a client that may relay",
  builder: (args) =>
    clientOptions(args)
      .positional("id", word("its id, which is also its login"))
      .option("kind", { ...kindOption, demandOption: true })
      .example("$0 client add shop --kind advertiser --domain shop.example --password-prompt", "logs in from anywhere")
      .example(
        "$0 client add office --kind isp-customer --network 192.0.2.0/24 --domain '*.office.example'",
        "no login",
      )
      .example(
        "$0 client add isp --kind email-provider --licence B2-20260301 --licensed-on 2026-03-01 --domain isp.example",
        "a mail service, with its permit; then: client address add",
      )
      .example("pass show shop | $0 client add shop --kind advertiser --password-stdin", "from a password manager"),
  handler: (options) =>
    withGround(options.config, async (ground) => {
      const { id } = options;
      const { clients } = await ground.registers();
      if (await findClient(ground, id)) {
        throw new Refused(`there is a client ${id} already; change it with: consentry client set ${id} …`);
      }
      await checkPacks(options);
      const client: Client = {
        id,
        networks: [],
        domains: [],
        ...givenFields(options),
        kind: options.kind,
        disabled: false,
      };
      const password = await readPassword(options);
      await clients.save(client, password);
      await noteChange(ground, client, { actor: options.actor, change: "added", password });
      if (client.networks.length === 0 && password === undefined) {
        remark(`note: ${id} has neither network nor password, so nobody can come in as ${id} yet`);
      }
      remarkFields(ground, client);
      await said(options, client, "added");
    }),
});

const set = defineCommand({
  command: "set <id>",
  describe: "Change a client; lists that are given replace the old ones",
  builder: (args) =>
    clientOptions(args)
      .positional("id", word("which client"))
      .option("kind", kindOption)
      .option("clear", { choices: CLEARABLE, array: true, nargs: 1, describe: "empty a field; may be repeated" })
      .example("$0 client set shop --rate 600 --domain shop.example --domain mail.shop.example", "")
      .example("$0 client set shop --clear network --password-prompt", "may log in from anywhere, with a new password"),
  handler: (options) =>
    withGround(options.config, async (ground) => {
      const old = await needClient(ground, options.id);
      await checkPacks(options);
      const client = changedClient(old, givenFields(options), options.clear ?? []);
      const password = await readPassword(options);
      const { clients } = await ground.registers();
      await clients.save(client, password);
      await noteChange(ground, client, { actor: options.actor, change: "changed", password, old });
      remarkFields(ground, client);
      await said(options, client, "changed");
    }),
});

const limits = defineCommand({
  command: "limits <id>",
  describe: "How much a client may send, and how much of it is used; with an option: change it",
  builder: (args) =>
    args
      .positional("id", word("which client"))
      .option("rate", count("mails a minute"))
      .option("per-hour", count("mails an hour"))
      .option("per-day", count("mails a day"))
      .option("clear", { choices: LIMITS, array: true, nargs: 1, describe: "no such limit; may be repeated" })
      .option("actor", actorOption)
      .example("$0 client limits shop", "what it may send, and what it has sent")
      .example("$0 client limits shop --rate 60 --per-day 20000", "holds for its next mail"),
  handler: (options) =>
    withGround(options.config, async (ground) => {
      const old = await needClient(ground, options.id);
      const given = givenLimits(options);
      const client = changedClient(old, given, options.clear ?? []);
      const { clients, rates } = await ground.registers();
      if (Object.keys(given).length + (options.clear?.length ?? 0) > 0) {
        await clients.save(client);
        await noteChange(ground, client, { actor: options.actor, change: "changed", old });
      }
      const items = (await rates.usage(client)).map((usage) => ({ row: limitRow(usage), value: limitShown(usage) }));
      if (items.length === 0 && !options.json) return print(`${client.id}: no limit`);
      await printTable(options, ["LIMIT", "USED", "LEFT", "FREE AGAIN"], items);
    }),
});

const LIMITS = ["rate", "per-hour", "per-day"] as const;

const limitShown = ({ span, max, taken, freesAtMs }: Usage) => ({
  per: span,
  max,
  used: taken,
  ...(taken > 0 && { freesAt: new Date(freesAtMs).toISOString() }),
});

const limitRow = (usage: Usage): string[] => [
  `${usage.max} mails a ${usage.span}`,
  String(usage.taken),
  String(Math.max(0, usage.max - usage.taken)),
  limitShown(usage).freesAt ?? "-",
];

const list = defineCommand({
  command: "list",
  describe: "All clients",
  builder: (args) => args.example("$0 client list --json", "for programs"),
  handler: (options) =>
    withGround(options.config, async (ground) => {
      const { clients } = await ground.registers();
      const items = (await clients.list()).map((client) => ({ row: rowOf(client), value: client }));
      await printTable(options, ["ID", "KIND", "STATE", "RATE", "NETWORKS", "DOMAINS"], items);
    }),
});

const rowOf = ({ id, kind, disabled, suspended, ratePerMinute, networks, domains }: Client): string[] => [
  id,
  kind,
  disabled ? "disabled" : suspended && suspended.untilMs > systemClock.now() ? "suspended" : "enabled",
  ratePerMinute === undefined ? "-" : `${ratePerMinute}/min`,
  networks.join(" ") || "-",
  domains.join(" ") || "-",
];

const show = defineCommand({
  command: "show <id>",
  describe: "One client",
  builder: (args) => args.positional("id", word("which client")).example("$0 client show shop", ""),
  handler: (options) =>
    withGround(options.config, async (ground) => {
      const client = await needClient(ground, options.id);
      if (options.json) return printJson(client);
      await print(...clientLines(client));
    }),
});

const able = (name: "disable" | "enable", describe: string) =>
  defineCommand({
    command: `${name} <id>`,
    describe,
    builder: (args) =>
      args.positional("id", word("which client")).option("actor", actorOption).example(`$0 client ${name} shop`, ""),
    handler: (options) =>
      withGround(options.config, async (ground) => {
        const client = await needClient(ground, options.id);
        const { clients } = await ground.registers();
        await clients.disable(client.id, name === "disable");
        await noteChange(ground, client, { actor: options.actor, change: `${name}d` });
        await said(options, { ...client, disabled: name === "disable" }, `${name}d`);
      }),
  });

export const client = defineGroup("client", "Clients that may relay", [
  add,
  set,
  list,
  show,
  limits,
  able("disable", "Take a client's right to relay, within seconds"),
  able("enable", "Give it back"),
  suspend,
  resume,
  address,
  campaign,
  complaints,
]);
