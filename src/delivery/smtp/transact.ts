/**
 * One mail to several recipients on a connection that is ours, without anybody waiting: sender, recipients and DATA go in one
 * write where the server allows (RFC 2920). What the server said to each recipient comes back, whatever else goes wrong.
 * (SmtpHandover is the other way: recipients one by one, while our own client waits.)
 */
import { isPositive, type Reply } from "../../mail/replies.ts";
import type { Recipient, Sender, Session } from "../../mail/views.ts";
import type { Parcel } from "../next-hop.ts";
import { Broken } from "./broken.ts";
import { mailCommand, rcptCommand } from "./commands.ts";
import type { Connection } from "./connection.ts";
import type { Left } from "./greet.ts";
import { relayed, type ServerReply } from "./replies-in.ts";
import { sendMail } from "./send.ts";
import { xforwardLines } from "./xforward.ts";

export interface Letter {
  readonly session: Omit<Session, "client">;
  readonly sender: Sender;
  readonly mailId: string;
  readonly recipients: readonly Recipient[];
  readonly parcel: Parcel;
}

export interface Manner {
  /** One answer for each recipient at the end (RFC 2033). */
  readonly lmtp: boolean;
  /** Say who really sent it, where XFORWARD is offered; for servers of our own house only. */
  readonly xforward: boolean;
  /** Time for each step. */
  readonly left: Left;
  /** Why this server cannot have this mail; asked when its extensions are known. */
  readonly refuses?: (connection: Connection) => Promise<Reply | undefined>;
}

/** What became of one recipient: somebody's words at a step, or a talk that broke. */
export type Fate =
  | { readonly step: string; readonly reply: Reply; readonly isOurs: boolean }
  | { readonly broken: Broken };

/**
 * Never throws for what the server or the line does.
 * @returns one fate for each recipient, in their order
 * @throws what reading the mail threw; no dot was sent then, and the connection is ended
 */
export async function transact(connection: Connection, letter: Letter, manner: Manner): Promise<Fate[]> {
  const mail = (await manner.refuses?.(connection)) ?? mailCommand(letter.sender, connection);
  if (typeof mail !== "string") return letter.recipients.map(() => ours(mail));
  const rcpts = letter.recipients.map((each) => rcptCommand(each, letter.sender, connection.extensions));
  const asked = rcpts.filter((each) => typeof each === "string");
  const fates = asked.length === 0 ? [] : await talk(connection, { letter, manner, mail, rcpts: asked });
  let next = 0;
  return rcpts.map((each) => (typeof each === "string" ? (fates[next++] as Fate) : ours(each)));
}

interface Talk {
  readonly letter: Letter;
  readonly manner: Manner;
  readonly mail: string;
  readonly rcpts: readonly string[];
}

async function talk(connection: Connection, { letter, manner, mail, rcpts }: Talk): Promise<Fate[]> {
  const { extensions } = connection;
  const before = manner.xforward ? xforwardLines(extensions.xforward, letter.session, letter.mailId) : [];
  const commands = [...before, mail, ...rcpts, "DATA"];
  const heard = await askAll(connection, commands, { left: manner.left, skipped: before.length });
  const [toMail, ...rest] = heard.replies;
  if (!toMail) return rcpts.map(() => broken(heard.broken));
  const go = rest[rcpts.length];
  if (toMail.code !== 250) {
    leaveUnsent(connection, go);
    return rcpts.map(() => said("MAIL", toMail));
  }
  const toRcpts = rcpts.map((_, index) => rest[index]);
  const accepted = toRcpts.filter((reply) => reply && isTaken(reply)).length;
  const ends = await content(connection, { letter, manner, accepted, go, broken: heard.broken });
  let next = 0;
  return toRcpts.map((reply) => {
    if (!reply) return broken(heard.broken);
    return isTaken(reply) ? (ends[next++] as Fate) : said("RCPT", reply);
  });
}

interface Content extends Pick<Talk, "letter" | "manner"> {
  readonly accepted: number;
  /** What was said to DATA. */
  readonly go: ServerReply | undefined;
  readonly broken: Broken | undefined;
}

/** @returns a fate for each accepted recipient */
async function content(
  connection: Connection,
  { letter, manner, accepted, go, broken: why }: Content,
): Promise<Fate[]> {
  const all = (fate: Fate): Fate[] => Array<Fate>(accepted).fill(fate);
  if (!go) return all(broken(why));
  if (accepted === 0) {
    leaveUnsent(connection, go);
    return [];
  }
  if (go.code !== 354) return all(said("DATA", go));
  const { left } = manner;
  const sending = {
    ready: Promise.resolve(),
    replies: manner.lmtp ? accepted : 1,
    timeoutMs: left("sending the mail"),
    endMs: left("end of the mail"),
  };
  try {
    const replies = await sendMail(connection, letter.parcel, sending);
    connection.mails += 1;
    return manner.lmtp
      ? replies.map((reply) => said("end of the mail", reply))
      : all(said("end of the mail", replies[0] as ServerReply));
  } catch (error) {
    connection.fail(new Broken({ name: "mail", step: "sending the mail" }, "ours", { what: "not finished" }));
    if (!(error instanceof Broken)) throw error;
    return partly(error, accepted, manner.lmtp);
  }
}

/** With LMTP some recipients may have had their answer when the talk broke. A refusal said before the dot counts, too. */
function partly(error: Broken, accepted: number, lmtp: boolean): Fate[] {
  const heard = lmtp ? error.heard.map((reply) => said("end of the mail", reply)) : [];
  const rest = error.said && error.said.code >= 500 ? said(error.step, error.said) : broken(error);
  return [...heard, ...Array<Fate>(Math.max(0, accepted - heard.length)).fill(rest)].slice(0, accepted);
}

/** It asks for a mail that is for nobody: an end without a dot is the only way to send none. */
function leaveUnsent(connection: Connection, go: ServerReply | undefined): void {
  if (go?.code !== 354) return;
  connection.fail(new Broken({ name: "mail", step: "DATA" }, "ours", { what: "a mail for nobody was asked for" }));
}

interface Heard {
  readonly replies: readonly ServerReply[];
  /** Why there are no more. */
  readonly broken: Broken | undefined;
}

/** In one write where the server allows, else one after the other until there is nothing more to ask. */
async function askAll(
  connection: Connection,
  commands: readonly string[],
  { left, skipped }: { left: Left; skipped: number },
): Promise<Heard> {
  const replies: ServerReply[] = [];
  try {
    if (connection.extensions.pipelining) {
      const wait = { replies: commands.length, timeoutMs: left("RCPT"), each: true };
      replies.push(...(await connection.ask(`${commands.join("\r\n")}\r\n`, "MAIL and RCPT", wait)));
    } else await oneByOne(connection, commands, { left, skipped, replies });
    return { replies: replies.slice(skipped), broken: undefined };
  } catch (error) {
    if (!(error instanceof Broken)) throw error;
    const heard = [...replies, ...error.heard];
    return { replies: heard.slice(skipped), broken: atStep(error, commands[heard.length]) };
  }
}

/** Many commands were written together: the one that broke it is the first without an answer. */
function atStep(error: Broken, command = ""): Broken {
  const { how, said, heard, message } = error;
  const step = command.split(" ", 1)[0] ?? "";
  return new Broken({ name: "SMTP", step }, how, { what: message, heard, cause: error, ...(said && { said }) });
}

async function oneByOne(
  connection: Connection,
  commands: readonly string[],
  { left, skipped, replies }: { left: Left; skipped: number; replies: ServerReply[] },
): Promise<void> {
  for (const [index, command] of commands.entries()) {
    const isData = index === commands.length - 1;
    const step = command.split(" ", 1)[0] ?? "";
    if (isData && !replies.slice(skipped + 1).some(isTaken)) return void replies.push({ code: 503, lines: [] });
    const reply = await connection.askOne(command, step, left(step));
    replies.push(reply);
    if (index === skipped && reply.code !== 250) return;
  }
}

/** 251: not local, and it forwards (RFC 5321 3.4). */
const isTaken = ({ code }: ServerReply): boolean => code === 250 || code === 251 || code === 252;
const ours = (reply: Reply): Fate => ({ step: "MAIL", reply, isOurs: true });
const said = (step: string, reply: ServerReply): Fate => ({ step, reply: relayed(reply), isOurs: false });

function broken(why: Broken | undefined): Fate {
  if (why) return { broken: why };
  throw new Error("a reply is missing and nothing broke");
}

/** The server took the mail for this recipient. */
export const isDelivered = (fate: Fate): boolean =>
  "reply" in fate && !fate.isOurs && fate.step === "end of the mail" && isPositive(fate.reply);
