/** Plays a talk through a door, whatever the door is made of. */
import { expect } from "vitest";
import type { Entry } from "../../src/ledger/entry.ts";
import { mailDate } from "../../src/mail/received.ts";
import type { HeardReply } from "./smtp-talk.ts";
import type { ClientStep, Expected, Step, Talk } from "./talk.ts";
import { until } from "./wait.ts";

/** One client's conversation. */
export interface TalkConnection {
  /** What was heard last while it was opened: the greeting, or the answer to EHLO or AUTH. */
  readonly opened: HeardReply;
  say(command: string): Promise<HeardReply>;
  /** The text after DATA, lines ended by CRLF and nothing stuffed yet; the reply to its end. */
  text(bytes: Buffer): Promise<HeardReply>;
  close(): void;
}

/** A door with the world of the talk behind it. */
export interface TalkDoor {
  /** Lets a client come from any address. */
  connect(client: ClientStep): Promise<TalkConnection>;
  entries(): Promise<Entry[]>;
  /** Every mail delivered to an address, bytes as latin1. */
  mailsTo(address: string): string[];
  /** Every mail delivered to anybody. */
  mails(): string[];
  /** Resolves when everything that was taken has arrived; absent where it has by the time the client hears of it. */
  settled?(): Promise<void>;
  /** The id of the last mail that was judged; absent where replies name it. */
  lastId?(): Promise<string>;
}

const HOUR_MS = 3_600_000;
const HANDOVER_MS = 3000;

/** @throws an assertion that names the line of the talk */
export async function playTalk(talk: Talk, door: TalkDoor): Promise<void> {
  let connection: TalkConnection | undefined;
  let lastId = "";
  for (const step of talk.steps) {
    if (step.kind === "client") {
      connection?.close();
      connection = await door.connect(step);
      if (step.expected) check(step, connection.opened, step.expected);
      else expect(connection.opened.code, `line ${step.line}: ${connection.opened.text}`).toBeLessThan(400);
      continue;
    }
    if (!connection) throw new Error("nobody is there");
    const reply = await speak(connection, step, (await door.lastId?.()) ?? lastId);
    lastId = /\bid ([0-9A-Z]{20,})/.exec(reply.text)?.[1] ?? lastId;
    if (step.expected) check(step, reply, step.expected);
  }
  await checkEnd(talk, door);
  connection?.close();
}

async function speak(connection: TalkConnection, step: Exclude<Step, ClientStep>, lastId: string): Promise<HeardReply> {
  if (step.kind === "say") return connection.say(step.command);
  const before = await connection.say("DATA");
  if (before.code !== 354) return before;
  const text = step.lines.map((line) => `${fill(line, lastId)}\r\n`).join("");
  return connection.text(Buffer.from(text, "latin1"));
}

const fill = (line: string, lastId: string): string =>
  line
    .replaceAll("{id}", lastId)
    .replace(/\{now(?:([+-]\d+)h)?\}/g, (_, hours = "0") => mailDate(Date.now() + Number(hours) * HOUR_MS));

function check(step: Step, reply: HeardReply, { code, enhanced, fragments }: Expected): void {
  const where = `line ${step.line}, heard: ${reply.text}`;
  expect(reply.code, where).toBe(code);
  if (enhanced !== undefined) expect(reply.enhanced, where).toBe(enhanced);
  for (const fragment of fragments) expect(reply.lines.join("\n"), where).toContain(fragment);
}

async function checkEnd(talk: Talk, door: TalkDoor): Promise<void> {
  const takers = (entries: readonly Entry[]): string[] =>
    entries.filter(({ event }) => event === "handed-over").map(({ recipient = "" }) => recipient.toLowerCase());
  const expected = talk.delivered.map((address) => address.toLowerCase()).sort();
  const complete = async (): Promise<Entry[] | undefined> => {
    const found = await door.entries();
    return takers(found).length >= expected.length ? found : undefined;
  };
  const entries = await until("every handover is written down", complete, HANDOVER_MS);
  expect(takers(entries).sort(), "handed over, as the ledger has it").toEqual(expected);
  const judged = entries.filter(({ event }) => event !== "handed-over");
  expect(judged.map(summary).sort(), "the ledger").toEqual(talk.ledger.map(summary).sort());
  for (const { event, recipient, articles } of talk.ledger) {
    const entry = judged.find((each) => each.event === event && (each.recipient ?? "-") === recipient);
    for (const article of articles) expect(entry?.articles ?? []).toContain(article);
  }
  await door.settled?.();
  expect(door.mails().length, "mails delivered").toBe(expected.length);
  for (const address of expected) {
    const mails = door.mailsTo(address);
    expect(mails.length, `mails to ${address}`).toBeGreaterThan(0);
    for (const mail of mails) {
      for (const text of talk.arrivesWith) expect(mail).toContain(Buffer.from(text).toString("latin1"));
      for (const text of talk.arrivesWithout) expect(mail).not.toContain(Buffer.from(text).toString("latin1"));
    }
  }
}

const summary = ({
  event,
  recipient,
  rules,
}: {
  event: string;
  recipient?: string;
  rules?: readonly string[];
}): string =>
  [event, recipient ?? "-", ...(rules && rules.length > 0 ? ["by", [...rules].sort().join(", ")] : [])].join(" ");
