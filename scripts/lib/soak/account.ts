/**
 * The account at the end: every mail that was sent is delivered, refused or still its sender's, what was answered 250 is there byte for byte
 * behind our headers and in the ledger, and nothing is there twice unless somebody was left without an answer.
 */
import { execFile } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Entry } from "../../../src/ledger/entry.ts";
import type { KeptMail } from "../../bench/lib/keeping-sink.ts";
import type { Fate } from "./client.ts";

const run = promisify(execFile);
const CLI = join(dirname(fileURLToPath(import.meta.url)), "../../../src/commands/index.ts");

export interface Account {
  readonly sent: number;
  readonly delivered: number;
  readonly refused: number;
  readonly deferred: number;
  /** Answered 250 and in the queue, or held (queue mode). */
  readonly queued: number;
  /** Answered 250 and given up for good, with an entry that says so (queue mode). */
  readonly bounced: number;
  /** Copies beyond the first, each after an attempt that nobody answered. */
  readonly twiceCounted: number;
  readonly entries: number;
  /** What does not add up, by mail. */
  readonly differences: readonly string[];
}

export interface Books {
  readonly fates: readonly Fate[];
  readonly kept: readonly KeptMail[];
  /** Recipients for whom the next hop took a mail and broke off instead of saying so, once for each time. */
  readonly lostAnswers: readonly string[];
  /** Recipients whose mail is in our custody still (queue mode). */
  readonly waiting: ReadonlySet<string>;
  /** When the relay, or a part of it, was killed: what a next hop had taken a moment before may come again (queue mode). */
  readonly killedAt: readonly number[];
  readonly entries: readonly Entry[];
}

const DAY_MS = 86_400_000;
const day = (offset: number): string => new Date(Date.now() + offset * DAY_MS).toISOString().slice(0, 10);

/** Everything in the ledger, also what a clock that was ahead wrote, read by the command that operators use. */
export async function readLedger(config: string): Promise<Entry[]> {
  const find = ["ledger", "find", "--json", "--since", day(-2), "--until", day(2)];
  const args = ["--disable-warning=ExperimentalWarning", CLI, ...find, "--config", config];
  const { stdout } = await run(process.execPath, args, { maxBuffer: 2 ** 30, timeout: 120_000 });
  return stdout
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as Entry);
}

/** So long before a death a next hop may have taken what nobody wrote down. */
const BEFORE_DEATH_MS = 6_000;
/** What a queue says when it gives a mail up for good. */
const GIVEN_UP: readonly string[] = ["bounced", "expired", "dropped"];
/** Reports to the sender of them all come through the same next hop. */
const SENDER = "writer@stranger.example";

/** Whose mail is in the queue or held, by the command that operators use. */
export async function readQueue(config: string): Promise<Set<string>> {
  const args = ["--disable-warning=ExperimentalWarning", CLI, "queue", "list", "--json", "--config", config];
  const { stdout } = await run(process.execPath, args, { maxBuffer: 2 ** 30, timeout: 120_000 });
  return new Set([...stdout.matchAll(/m\d+@example\.com/g)].map(([recipient]) => recipient));
}

export function balance({ fates, kept, lostAnswers, waiting, killedAt, entries }: Books): Account {
  const copies = Map.groupBy(kept, ({ recipients }) => recipients[0] ?? "");
  const lost = Map.groupBy(lostAnswers, (recipient) => recipient);
  const byRecipient = Map.groupBy(entries, ({ recipient = "" }) => recipient);
  const differences: string[] = [];
  const counts = { delivered: 0, refused: 0, deferred: 0, queued: 0, bounced: 0, lost: 0 };
  let twiceCounted = 0;
  for (const fate of fates) {
    const { recipient, name } = fate.mail;
    const mine = copies.get(recipient) ?? [];
    const own = byRecipient.get(recipient) ?? [];
    const end = endOf(fate, mine, { isWaiting: waiting.has(recipient), entries: own });
    counts[end] += 1;
    const deaths = mine.filter(({ atMs }) => killedAt.some((at) => at >= atMs && at - atMs < BEFORE_DEATH_MS)).length;
    const unanswered = fate.unanswered + (lost.get(recipient)?.length ?? 0) + deaths;
    twiceCounted += Math.max(0, mine.length - 1);
    const trouble = [
      ...(end === "lost" ? ["answered 250, and nowhere"] : []),
      ...troubleWithCopies(fate, mine, unanswered),
      ...mine.flatMap((copy) => troubleWithBytes(copy, fate)),
      ...troubleWithLedger(fate, mine, own),
    ];
    differences.push(
      ...trouble.map((what) => `${recipient} (${name}, ${fate.attempts} attempts, last "${fate.said}"): ${what}`),
    );
  }
  const strangers = [...copies.keys()].filter(
    (recipient) => recipient !== SENDER && !fates.some(({ mail }) => mail.recipient === recipient),
  );
  differences.push(...strangers.map((recipient) => `${recipient}: nobody sent that`));
  return {
    sent: fates.length,
    delivered: counts.delivered,
    refused: counts.refused,
    deferred: counts.deferred,
    queued: counts.queued,
    bounced: counts.bounced,
    twiceCounted,
    entries: entries.length,
    differences,
  };
}

/** Where a mail is at the end. */
function endOf(
  { state }: Fate,
  mine: readonly KeptMail[],
  { isWaiting, entries }: { isWaiting: boolean; entries: readonly Entry[] },
): "delivered" | "refused" | "deferred" | "queued" | "bounced" | "lost" {
  if (state === "refused") return "refused";
  if (state === "open") return "deferred";
  if (mine.length > 0) return "delivered";
  if (isWaiting) return "queued";
  return entries.some(({ event }) => GIVEN_UP.includes(event)) ? "bounced" : "lost";
}

function troubleWithCopies({ state }: Fate, mine: readonly KeptMail[], unanswered: number): string[] {
  const allowed = (state === "taken" ? 1 : 0) + unanswered;
  if (mine.length <= allowed) return [];
  return [
    `there ${mine.length} times: answered ${state === "taken" ? "once" : "never"}, left without an answer ${unanswered} times`,
  ];
}

/** What we may put in front. */
const FRONT = /^(?:(?:Received|Authentication-Results|ARC-[\w-]+):[^\n]*\r\n(?:[ \t][^\n]*\r\n)*)*$/i;

function troubleWithBytes({ content }: KeptMail, { mail }: Fate): string[] {
  const own = content.subarray(-mail.content.length);
  if (!own.equals(mail.content)) return ["not byte for byte what was sent"];
  return FRONT.test(content.toString("latin1", 0, content.length - own.length))
    ? []
    : ["something strange stands in front of it"];
}

const ID = / id (\S+)$/;

function troubleWithLedger(fate: Fate, mine: readonly KeptMail[], entries: readonly Entry[]): string[] {
  const received = new Set(
    entries.flatMap(({ event, mailId }) => (event === "received" && mailId !== undefined ? [mailId] : [])),
  );
  const trouble: string[] = [];
  if (fate.state === "taken") {
    const id = ID.exec(fate.said)?.[1] ?? "";
    if (!received.has(id)) trouble.push(`answered 250 with id ${id || "(none)"}, which the ledger does not know`);
  }
  for (const { content } of mine) {
    const front = content.toString("latin1", 0, 2000);
    if (![...received].some((id) => front.includes(id))) trouble.push("a copy whose Received names no entry");
  }
  if (fate.state === "refused" && !entries.some(({ event, verdict }) => event === "refused" || verdict === "reject")) {
    trouble.push("refused, and the ledger does not know");
  }
  return trouble;
}
