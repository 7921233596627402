/** The doors from outside: is this an open relay, are postmaster and abuse heard, do clients have to log in? */
import { networkInterfaces } from "node:os";
import type { Config, Listener } from "../../config/schema.ts";
import { ipRanges, isLoopback } from "../../kit/ip.ts";
import { Unavailable } from "../../kit/trouble.ts";
import { type Dialogue, openDialogue, type Target } from "./dialogue.ts";
import { fail, type Line, ok, unknown, warn } from "./line.ts";
import { webLines } from "./web-door.ts";

/** An address that nobody has (RFC 5737): a stranger everywhere. */
const STRANGER = "192.0.2.1";
/** Recipients elsewhere, in every way that some server once took for "and from there on" (the domain is RFC 6761's). */
const ELSEWHERE = (local: string): readonly string[] => [
  "relay-test@elsewhere.invalid",
  `relay-test%elsewhere.invalid@${local}`,
  `elsewhere.invalid!relay-test@${local}`,
  `"relay-test@elsewhere.invalid"@${local}`,
  `@${local}:relay-test@elsewhere.invalid`,
];
const DOMAINS_MAX = 20;
const START = "start consentry serve and ask again";

/** All doors that can be asked, one after the other. */
export async function doorLines(config: Config): Promise<Line[]> {
  const lines: Line[] = [];
  for (const listener of config.listeners) {
    if (listener.door === "milter") continue;
    const isWeb = listener.door === "http" || listener.door === "metrics";
    lines.push(...(isWeb ? await webLines(listener) : await listenerLines(config, listener)));
  }
  return lines;
}

async function listenerLines(config: Config, listener: Listener): Promise<Line[]> {
  const { listen, door } = listener;
  const where = "path" in listen ? `unix:${listen.path}` : `${listen.host}:${listen.port}`;
  const about = `door ${door} ${where}`;
  const target = targetOf(config, listener);
  if (typeof target === "string") return [unknown(about, target, "try it from another host")];
  let dialogue: Dialogue | undefined;
  try {
    dialogue = await openDialogue(target);
    const refused = await introduce(dialogue, target);
    if (refused !== undefined)
      return [unknown(about, refused, "look into the ledger: consentry ledger find --since 5m")];
    if (door === "submission") return [await clientsOnly(dialogue, about)];
    return [await openRelay(dialogue, config, about), ...(await alwaysHeard(dialogue, config))];
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ECONNREFUSED" || code === "ENOENT") return [unknown(about, "nobody listens there", START)];
    if (error instanceof Unavailable) return [fail(about, message, "see its log: it must answer within seconds")];
    return [unknown(about, message, START)];
  } finally {
    dialogue?.close();
  }
}

interface StrangerTarget extends Target {
  /** What makes a stranger of us once we are in. */
  readonly xclient?: string;
}

/** How to come in as somebody who may not relay; a text: why that is not possible from here. */
function targetOf({ relayNetworks, trustedProxies }: Config, listener: Listener): StrangerTarget | string {
  const { listen, tls, proxyHeader } = listener;
  if ("path" in listen) return "a unix socket has no address to be a stranger from";
  const v6 = listen.host.includes(":");
  const local = v6 ? "::1" : "127.0.0.1";
  const host = listen.host === "0.0.0.0" || listen.host === "::" ? local : listen.host;
  const base = { host, port: listen.port, implicitTls: tls === "implicit" };
  const sources = isLoopback(host) ? [local, ...ownAddresses(v6)] : ownAddresses(v6);
  const trusted = sources.find((ip) => ipRanges(trustedProxies).has(ip));
  if (trusted !== undefined) {
    const server = v6 ? "TCP6 2001:db8::1 2001:db8::2" : `TCP4 ${STRANGER} ${host}`;
    if (proxyHeader) return { ...base, from: trusted, before: `PROXY ${server} 40025 ${listen.port}\r\n` };
    return { ...base, from: trusted, xclient: `XCLIENT ADDR=${STRANGER}` };
  }
  const from = sources.find((ip) => !ipRanges(relayNetworks).has(ip));
  return from === undefined ? "every address of this machine is in relayNetworks" : { ...base, from };
}

const ownAddresses = (v6: boolean): string[] =>
  Object.values(networkInterfaces())
    .flatMap((each) => each ?? [])
    .filter(({ family, address }) => family === (v6 ? "IPv6" : "IPv4") && !isLoopback(address))
    .map(({ address }) => address);

/** @returns what went wrong, in words */
async function introduce(dialogue: Dialogue, { xclient }: StrangerTarget): Promise<string | undefined> {
  const hello = "EHLO doctor.consentry.invalid";
  const commands = xclient === undefined ? [hello] : [hello, xclient, hello];
  if (dialogue.greeting.code !== 220) return inWords("greets", dialogue.greeting);
  for (const command of commands) {
    const reply = await dialogue.say(command);
    if (reply.code >= 300) return inWords(`answers ${command}`, reply);
  }
  return undefined;
}

const inWords = (what: string, { code, lines }: Dialogue["greeting"]): string =>
  `${what} with ${code} ${lines[0] ?? ""}`.slice(0, 160);

async function clientsOnly(dialogue: Dialogue, about: string): Promise<Line> {
  const reply = await dialogue.say("MAIL FROM:<>");
  if (reply.code >= 500) return ok(about, "nobody sends there without a login");
  const advice = "rules: relay/anonymous must be enforced";
  return reply.code < 300
    ? fail(about, "takes mail from strangers without a login", advice)
    : unknown(about, inWords("answers MAIL", reply), "ask again later");
}

async function openRelay(dialogue: Dialogue, { localDomains }: Config, about: string): Promise<Line> {
  const what = `${about}: relaying`;
  const from = await dialogue.say("MAIL FROM:<>");
  if (from.code >= 300) return unknown(what, inWords("answers a stranger's MAIL", from), "ask again later");
  const local = localDomains.find((domain) => !domain.startsWith("*.")) ?? "localhost.invalid";
  const unsure: string[] = [];
  for (const recipient of ELSEWHERE(local)) {
    const reply = await dialogue.say(`RCPT TO:<${recipient}>`);
    if (reply.code < 300) {
      await dialogue.say("RSET");
      const advice = "rules: enforce relay/anonymous; look at relayNetworks and at clients' networks (Order 38 art. 7)";
      return fail(what, `an OPEN RELAY: takes <${recipient}> from a stranger`, advice);
    }
    if (reply.code < 500) unsure.push(inWords(`answers <${recipient}>`, reply));
  }
  await dialogue.say("RSET");
  if (unsure.length > 0) return unknown(what, unsure[0] ?? "", "ask again later");
  return ok(what, "strangers are refused, in five spellings");
}

/** RFC 5321 4.5.1 and RFC 2142; Order 38 art. 15 asks for reports to be taken. */
async function alwaysHeard(dialogue: Dialogue, { localDomains }: Config): Promise<Line[]> {
  const lines: Line[] = [];
  const plain = localDomains.filter((domain) => !domain.startsWith("*."));
  for (const domain of plain.slice(0, DOMAINS_MAX)) {
    for (const local of ["postmaster", "abuse"]) {
      const about = `mailbox ${local}@${domain}`;
      const from = await dialogue.say("MAIL FROM:<>");
      const reply = from.code < 300 ? await dialogue.say(`RCPT TO:<${local}@${domain}>`) : from;
      if (from.code < 300) await dialogue.say("RSET");
      const advice = "give somebody this mailbox at the next hop (RFC 5321 4.5.1, RFC 2142, Order 38 art. 15)";
      if (reply.code < 300) lines.push(ok(about, "is taken"));
      else if (reply.code >= 500) lines.push(fail(about, inWords("is refused", reply), advice));
      else lines.push(unknown(about, inWords("is put off", reply), "ask again later"));
    }
  }
  const more = plain.length - DOMAINS_MAX;
  if (more > 0) lines.push(warn("mailboxes", `${more} further domains were not asked about`, "ask by hand"));
  return lines;
}
