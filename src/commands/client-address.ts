/** Addresses registered with an authority (Order 38 art. 6): what is reported there is written down here, and binds. */
import { canonicalIp, canonicalRange } from "../kit/ip.ts";
import { Misuse } from "../kit/trouble.ts";
import type { Client, SendingAddress } from "../mail/client.ts";
import {
  type AddressDays,
  longestWait,
  NO_WAIT,
  stateOf,
  usableFromMs,
  usableUntilMs,
} from "../registers/sending-addresses.ts";
import { choiceOf } from "./choice.ts";
import { needClient, noteChange, said } from "./client-change.ts";
import { actorOption, defineCommand, defineGroup, needed, text, word } from "./globals.ts";
import { type Ground, withGround } from "./ground.ts";
import { clean, printTable, Refused } from "./output.ts";
import { DAY_MS, parseInstant } from "./times.ts";

const ADDRESS = word("address or CIDR range");

const add = defineCommand({
  command: "add <id> <network>",
  describe: "Write down an address that was registered; it may be used when the law's days are over",
  builder: (args) =>
    args
      .positional("id", word("which client"))
      .positional("network", ADDRESS)
      .option("authority", needed(text("who registered it")))
      .option("registered-on", text("the day it was reported: 2026-11-22; default: today"))
      .option("use", {
        choices: ["source", "egress"] as const,
        default: "source" as const,
        describe: "source: the client's own server; egress: ours, by which its mail leaves",
      })
      .option("first", { type: "boolean", describe: "a first registration, though there are others here already" })
      .option("ends-on", text("the last day it is used, as reported"))
      .option("actor", actorOption)
      .example("$0 client address add isp 192.0.2.25 --authority 'MIIT, Guangdong' --registered-on 2026-10-01", "")
      .example("$0 client address add isp 198.51.100.8 --authority 'MIIT, Guangdong'", "a change: usable in 30 days")
      .example(
        "$0 client address add isp 203.0.113.9 --use egress --authority 'MIIT, Guangdong'",
        "its mail leaves here",
      ),
  handler: (options) =>
    withGround(options.config, async (ground) => {
      const old = await needClient(ground, options.id);
      const network = networkOf(options.network);
      const { use, authority } = options;
      const before = (old.addresses ?? []).filter((each) => each.use === use);
      if (before.some((each) => each.network === network)) {
        throw new Refused(`${network} is registered for ${clean(old.id)} already; client address remove takes it away`);
      }
      const registeredOn = dayOf("registered-on", options.registeredOn, ground.clock.now());
      const isChange = !options.first && before.some((each) => each.registeredOn < registeredOn);
      const address: SendingAddress = {
        network,
        use,
        authority,
        registeredOn,
        ...(isChange && { change: true }),
        ...(options.endsOn !== undefined && { endsOn: dayOf("ends-on", options.endsOn, 0) }),
      };
      const client = { ...old, addresses: [...(old.addresses ?? []), address] };
      await save(ground, client, { old, actor: options.actor, change: `address ${network} added` });
      const usable = new Date(usableFromMs(address, await daysOf(ground, client))).toISOString().slice(0, 10);
      await said(options, client, `${network} (${use}) registered, usable from ${usable}`);
    }),
});

const remove = defineCommand({
  command: "remove <id> <network>",
  describe: "Take an address away, now or on the day that was reported",
  builder: (args) =>
    args
      .positional("id", word("which client"))
      .positional("network", ADDRESS)
      .option("ends-on", text("its last day, as reported; default: it goes now"))
      .option("actor", actorOption)
      .example("$0 client address remove isp 192.0.2.25 --ends-on 2026-12-31", "it works until then")
      .example("$0 client address remove isp 192.0.2.25", "now"),
  handler: (options) =>
    withGround(options.config, async (ground) => {
      const old = await needClient(ground, options.id);
      const network = networkOf(options.network);
      const all = old.addresses ?? [];
      if (!all.some((each) => each.network === network)) {
        throw new Refused(`${network} is not registered for ${clean(old.id)}; client address list names what is`);
      }
      const { endsOn } = options;
      const lastDay = endsOn === undefined ? undefined : dayOf("ends-on", endsOn, 0);
      const addresses = all.flatMap((each) => {
        if (each.network !== network) return [each];
        return lastDay === undefined ? [] : [{ ...each, endsOn: lastDay }];
      });
      const { addresses: _, ...rest } = old;
      const client = addresses.length > 0 ? { ...rest, addresses } : rest;
      const change = `address ${network} ${lastDay === undefined ? "removed" : `ends ${lastDay}`}`;
      await save(ground, client, { old, actor: options.actor, change });
      await said(options, client, `${network} ${lastDay === undefined ? "removed" : `ends on ${lastDay}`}`);
    }),
});

const list = defineCommand({
  command: "list [id]",
  describe: "Registered addresses, of one client or of all, and which may be used now",
  builder: (args) =>
    args
      .positional("id", { type: "string", describe: "which client; default: all" })
      .example("$0 client address list isp", "")
      .example("$0 client address list --json", "for programs"),
  handler: (options) =>
    withGround(options.config, async (ground) => {
      const { clients } = await ground.registers();
      const chosen = options.id === undefined ? await clients.list() : [await needClient(ground, options.id)];
      const rows = await Promise.all(chosen.map((client) => rowsOf(ground, client)));
      const titles = ["CLIENT", "ADDRESS", "USE", "STATE", "FROM", "UNTIL", "REGISTERED", "AUTHORITY"];
      await printTable(options, titles, rows.flat());
    }),
});

async function rowsOf(ground: Ground, client: Client) {
  const days = await daysOf(ground, client);
  return (client.addresses ?? []).map((address) => {
    const state = stateOf(address, days, ground.clock.now());
    const from = new Date(usableFromMs(address, days)).toISOString().slice(0, 10);
    const untilMs = usableUntilMs(address);
    const until = untilMs === undefined ? "-" : new Date(untilMs - DAY_MS).toISOString().slice(0, 10);
    const { network, use, registeredOn, authority } = address;
    return {
      row: [client.id, network, use, state, from, until, registeredOn, authority],
      value: { client: client.id, ...address, state, usableFrom: from },
    };
  });
}

/** What the laws a client writes under let pass. */
async function daysOf(ground: Ground, client: Client): Promise<AddressDays> {
  const packs = (await choiceOf(ground)).under({ client });
  return packs.some(({ addresses }) => addresses) ? longestWait(packs.map(({ addresses }) => addresses)) : NO_WAIT;
}

async function save(
  ground: Ground,
  client: Client,
  { old, actor, change }: { old: Client; actor: string | undefined; change: string },
): Promise<void> {
  const { clients } = await ground.registers();
  await clients.save(client);
  await noteChange(ground, client, { actor, change, old });
}

/** @throws Misuse */
function networkOf(given: string): string {
  const network = canonicalIp(given) ?? canonicalRange(given);
  if (network === undefined) throw new Misuse(`"${given}": expected an address or a CIDR range`);
  return network;
}

/** @throws Misuse */
function dayOf(option: string, given: string | undefined, nowMs: number): string {
  if (given === undefined) return new Date(nowMs).toISOString().slice(0, 10);
  const instant = parseInstant(given);
  if (!instant?.day) throw new Misuse(`--${option} "${given}": expected a day such as 2026-11-22`);
  return given;
}

export const address = defineGroup("address", "Addresses registered with an authority for a client's mail", [
  add,
  remove,
  list,
]);
