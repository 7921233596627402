/** The whole life of one mail, from its entries: who sent it, what was said to each recipient's, when, and how it ended. */
import type { Entry } from "./entry.ts";
import { EVENTS } from "./events.ts";

/** One thing that happened. */
export interface Step {
  readonly at: number;
  /** Since the step before, ms. */
  readonly afterMs: number;
  readonly entry: Entry;
  /** In words, without the time. */
  readonly says: string;
}

export interface Timeline {
  readonly mailId: string;
  /** What all entries have in common, name and value. */
  readonly facts: readonly (readonly [string, string])[];
  readonly steps: readonly Step[];
  /** How it ended for each recipient. */
  readonly ends: readonly (readonly [string, string])[];
}

/** @param entries of one mail, oldest first; at least one */
export function timelineOf(mailId: string, entries: readonly Entry[]): Timeline {
  const steps = entries.map((entry, index): Step => {
    const before = entries[index - 1] ?? entry;
    return { at: entry.at, afterMs: entry.at - before.at, entry, says: inWords(entry) };
  });
  const recipients = [...new Set(entries.flatMap(({ recipient }) => recipient ?? []))];
  const ends = recipients.map((recipient) => [recipient, endOf(entries, recipient)] as const);
  return { mailId, facts: factsOf(entries), steps, ends };
}

const FACTS: readonly (readonly [string, (entry: Entry) => string | undefined])[] = [
  ["from", ({ sender }) => (sender === "" ? "<> (a bounce)" : sender)],
  ["client", ({ clientIp, clientPort }) => clientIp && `${clientIp}${clientPort ? ` port ${clientPort}` : ""}`],
  ["named itself", ({ helo }) => helo],
  ["registered as", ({ client }) => client],
  ["logged in as", ({ login }) => login],
  ["encrypted with", ({ tls }) => tls],
  ["came in by", ({ door, serverIp }) => door && `${door}${serverIp ? ` at ${serverIp}` : ""}`],
  ["direction", ({ direction }) => direction],
  ["Message-ID", ({ messageId }) => messageId],
  ["size", ({ sizeBytes }) => (sizeBytes === undefined ? undefined : `${sizeBytes} bytes`)],
  ["queue id", ({ queueId }) => queueId],
  ["session", ({ sessionId }) => sessionId],
];

function factsOf(entries: readonly Entry[]): [string, string][] {
  return FACTS.flatMap(([name, read]): [string, string][] => {
    const values = [...new Set(entries.flatMap((entry) => read(entry) ?? []))];
    return values.length === 0 ? [] : [[name, values.join(", ")]];
  });
}

function inWords({
  event,
  recipient,
  verdict,
  rules,
  articles,
  packs,
  reply,
  nextHopIp,
  actor,
  evidence,
  clock,
}: Entry): string {
  const said = Object.entries(evidence ?? {}).map(([name, value]) => `${name} ${value}`);
  return [
    `${event}${recipient === undefined ? "" : ` for ${recipient}`}: ${EVENTS[event] ?? "no event of this version"}`,
    verdict && `verdict ${verdict}`,
    rules?.length ? `by ${rules.join(", ")}` : undefined,
    articles?.length ? `citing ${articles.join("; ")}` : undefined,
    packs?.length ? `pack ${packs.join(", ")}` : undefined,
    nextHopIp && `next hop ${nextHopIp}`,
    reply === undefined ? undefined : `said: ${reply}`,
    said.length > 0 ? said.join(", ") : undefined,
    actor && `done by ${actor}`,
    clock && `the clock had been ${clock}`,
  ]
    .filter((part) => part !== undefined && part !== "")
    .join("; ");
}

/** The event that settled it for a recipient, in words. */
function endOf(entries: readonly Entry[], recipient: string): string {
  const own = entries.filter((entry) => entry.recipient === recipient);
  const last = own.at(-1);
  switch (last?.event) {
    case "handed-over":
      return "the next hop has it";
    case "refused":
      return "it was refused; the sender's server was told so";
    case "deferred":
      return "it was put off; the sender's server tries again, as another mail";
    case "held":
      return "it is held";
    case "delayed":
      return "it waits in the queue, and is tried again";
    case "bounced":
      return "the next hop refused it for good";
    case "expired":
      return "it came to the end of its time, undelivered";
    case "released":
      return "it was let go, and waits for its turn";
    case "dropped":
      return "an operator took it out of the queue";
    case "received":
      return "nobody saw the end of it: the sender heard no yes, and sends it again";
    default:
      return last ? last.event : "nothing";
  }
}
