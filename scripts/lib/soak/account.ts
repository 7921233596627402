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

export function balance({ fates, kept, lostAnswers, entries }: Books): Account {
  const copies = Map.groupBy(kept, ({ recipients }) => recipients[0] ?? "");
  const lost = Map.groupBy(lostAnswers, (recipient) => recipient);
  const byRecipient = Map.groupBy(entries, ({ recipient = "" }) => recipient);
  const differences: string[] = [];
  const counts = { taken: 0, refused: 0, open: 0 };
  let twiceCounted = 0;
  for (const fate of fates) {
    const { recipient, name } = fate.mail;
    const mine = copies.get(recipient) ?? [];
    const unanswered = fate.unanswered + (lost.get(recipient)?.length ?? 0);
    counts[fate.state] += 1;
    twiceCounted += Math.max(0, mine.length - 1);
    const trouble = [
      ...troubleWithCopies(fate, mine, unanswered),
      ...mine.flatMap((copy) => troubleWithBytes(copy, fate)),
      ...troubleWithLedger(fate, mine, byRecipient.get(recipient) ?? []),
    ];
    differences.push(
      ...trouble.map((what) => `${recipient} (${name}, ${fate.attempts} attempts, last "${fate.said}"): ${what}`),
    );
  }
  const strangers = [...copies.keys()].filter((recipient) => !fates.some(({ mail }) => mail.recipient === recipient));
  differences.push(...strangers.map((recipient) => `${recipient}: nobody sent that`));
  return {
    sent: fates.length,
    delivered: counts.taken,
    refused: counts.refused,
    deferred: counts.open,
    twiceCounted,
    entries: entries.length,
    differences,
  };
}

function troubleWithCopies({ state }: Fate, mine: readonly KeptMail[], unanswered: number): string[] {
  if (state === "taken" && mine.length === 0) return ["answered 250, and not there"];
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
