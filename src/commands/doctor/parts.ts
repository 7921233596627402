/** What each part of the examination is made of: the configuration's own store, next hop, DNS servers and lists. */
import type { Config } from "../../config/schema.ts";
import { nextHopOf } from "../../delivery/open.ts";
import { Misuse } from "../../kit/trouble.ts";
import { openNames } from "../../resolver/open.ts";
import { createLists } from "../../signals/open-lists.ts";
import type { Ground } from "../ground.ts";
import { codeLines } from "./codes.ts";
import { customerLines } from "./customers.ts";
import { signingLines } from "./dkim.ts";
import { dnsLines } from "./dns.ts";
import { fail, type Line, ok, unknown, warn } from "./line.ts";
import { certificateLine, clockLine, nextHopLine, settingLines, storeLine } from "./machine.ts";

type Part = readonly [about: string, work: Promise<Line[]>];

export function machineParts(ground: Ground): Part[] {
  const { config, clock } = ground;
  const one = async (line: Line | Promise<Line>): Promise<Line[]> => [await line];
  return [
    ["settings", Promise.resolve(settingLines(config))],
    ["store", one(storeLine(config.store.url, async () => (await ground.registers()).store))],
    ["next hop", one(nextHopLine(nextHopOf(config)))],
    ["clock", one(newestEntry(ground).then((newestMs) => clockLine(clock.now(), newestMs)))],
    ["certificate", one(certificateLine(config, clock.now()))],
    ["codes", codeLines(ground)],
    ["customers", customerLines(ground)],
  ];
}

/** Entries are written in the order of their time: the last of today tells whether the clock went back. */
async function newestEntry(ground: Ground): Promise<number | undefined> {
  if (!ground.hasJournal()) return undefined;
  let newestMs: number | undefined;
  const journal = await ground.journal();
  for await (const { at } of journal.find({ sinceMs: ground.clock.now() + 60_000 })) newestMs = at;
  return newestMs;
}

export async function dnsPart(
  ground: Ground,
  { selectors, dns }: { readonly selectors: readonly string[]; readonly dns: string | undefined },
): Promise<Line[]> {
  const { config, clock } = ground;
  const names = openNames({ ...config.dns, servers: dns === undefined ? config.dns.servers : serversOf(dns) }, clock);
  if (!names) return [unknown("DNS", "dns.servers names nobody to ask", "dns: { servers: [system] }, or --dns system")];
  try {
    const found = await Promise.all([
      dnsLines({ config, names, selectors, nowMs: clock.now() }),
      signingLines(config, names.within({})),
      listLines(config, ground, names),
    ]);
    return found.flat();
  } finally {
    names.close();
  }
}

/** As the configuration would read it. @throws Misuse */
function serversOf(text: string): Config["dns"]["servers"] {
  if (text === "system") return ["system"];
  const match = /^(?:\[([0-9a-f:]+)\]|([0-9.]+)|([0-9a-f:]+))(?::(\d{1,5}))?$/i.exec(text);
  const host = match?.[1] ?? match?.[2] ?? match?.[3];
  if (host === undefined) throw new Misuse(`--dns "${text}": expected an address, address:port, or system`);
  return [{ host, port: Number(match?.[4] ?? 53) }];
}

/** Each list as it would be believed now. */
async function listLines(config: Config, { clock }: Ground, names: NonNullable<ReturnType<typeof openNames>>) {
  const problems = new Map<string, string>();
  const lists = createLists(clock, ({ list, problem }) => problem !== undefined && problems.set(list, problem));
  try {
    await lists.configure(config.lists);
    // An address that nobody has: asking about it makes each list in DNS prove itself.
    await lists.look("192.0.2.1", names, names);
    const advice = "it is left out until it does again; take it out of lists when that is for good";
    const bad = [...problems].map(([list, problem]) => warn(`list ${list}`, problem, advice));
    const good = config.lists.length - new Set([...problems.keys()].map((list) => list.split(" ")[0])).size;
    return [...bad, ...(good > 0 ? [ok("lists", `${good} in order`)] : [])];
  } catch (error) {
    if (!(error instanceof Misuse)) throw error;
    return [fail("lists", error.message, "until then consentry does not start")];
  } finally {
    lists.close();
  }
}
