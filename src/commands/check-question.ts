import { createReadStream, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { FileMail } from "../doors/check/wire.ts";
import { canonicalIp, ipRanges } from "../kit/ip.ts";
import { Misuse } from "../kit/trouble.ts";
import type { Address } from "../mail/address.ts";
import type { Client } from "../mail/client.ts";
import { parseAddress } from "../mail/path.ts";
import type { Recipient, Sender, Session } from "../mail/views.ts";
import { STDIN } from "./globals.ts";
import type { Ground } from "./ground.ts";

/** What the command line asks about. */
export interface Asked {
  readonly from: string;
  readonly to: readonly string[];
  readonly ip: string;
  readonly helo?: string | undefined;
  readonly login?: string | undefined;
  readonly door: "smtp" | "submission";
  readonly size?: number | undefined;
}

export interface Envelope {
  readonly clientIp: string;
  readonly sender: Sender;
  readonly recipients: readonly Recipient[];
}

/** The envelope and who brings it. @throws Misuse naming everything that does not do */
export function readEnvelope({ from, to, size, ip }: Asked): Envelope {
  const problems: string[] = [];
  const read = (text: string, option: string): Address | undefined => {
    const address = parseAddress(text);
    if (!address) problems.push(`--${option} "${text}": expected local-part@domain`);
    return address;
  };
  const address = from === "" || from === "<>" ? null : (read(from, "from") ?? null);
  const addresses = new Map(to.map((text) => [text, read(text, "to")]));
  if (size !== undefined && (!Number.isInteger(size) || size < 0)) problems.push("--size: expected a number of bytes");
  const clientIp = canonicalIp(ip);
  if (clientIp === undefined) problems.push(`--ip "${ip}": expected an IP address`);
  if (problems.length > 0 || clientIp === undefined) throw new Misuse("this mail cannot be asked about:", problems);
  const smtpUtf8 = /[^\x00-\x7f]/.test(`${from}${to.join("")}`);
  const sizePart = size === undefined ? {} : { sizeBytes: size };
  return {
    clientIp,
    sender: { address, eightBit: true, smtpUtf8, requireTls: false, ...sizePart },
    recipients: [...addresses.values()].flatMap((each) => (each ? [{ address: each }] : [])),
  };
}

/**
 * The connection it comes by: with a login it is that client's, else that of the client the address is registered for.
 * @throws Misuse for a login that nobody has, Unavailable when the register does not answer
 */
export async function readSession(ground: Ground, clientIp: string, asked: Omit<Asked, "ip">): Promise<Session> {
  const { helo, login, door } = asked;
  const client = await clientOf(ground, clientIp, login);
  return {
    id: "check",
    door: "check",
    role: door === "submission" ? "submission" : "mx",
    clientIp,
    clientPort: 0,
    serverIp: "127.0.0.1",
    serverPort: door === "submission" ? 587 : 25,
    inRelayNetworks: ipRanges(ground.config.relayNetworks).has(clientIp),
    ...(helo !== undefined && { helo: helo.toLowerCase() }),
    ...(login !== undefined && client && { login: client.id }),
    ...(client && { client }),
  };
}

async function clientOf(ground: Ground, ip: string, login: string | undefined): Promise<Client | undefined> {
  const { clients } = await ground.registers();
  if (login === undefined) return clients.byNetwork(ip);
  const client = await clients.byId(login);
  if (client) return client;
  const disabled = (await clients.list()).some(({ id }) => id === login.toLowerCase());
  throw new Misuse(`--login "${login}": ${disabled ? "this client is disabled" : "there is no such client"}`);
}

/** The mail from a file or stdin. @throws Misuse when it cannot be read */
export async function readMail({ config }: Ground, file: string): Promise<FileMail> {
  const { readFileMail } = await import("../doors/check/wire.ts");
  const spillDir = join(config.dataDir, "incoming");
  mkdirSync(spillDir, { recursive: true, mode: 0o700 });
  try {
    return await readFileMail(file === STDIN ? process.stdin : createReadStream(file), { ...config.limits, spillDir });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw code === undefined ? error : new Misuse(`cannot read ${file}: ${code}`);
  }
}
