/** What the commands of queue and hold share: the spool beside the running service, which mails are meant, what is shown and written down. */
import type { QueuedMail } from "../delivery/queue/queued.ts";
import type { Filter, Listed, SpoolDesk } from "../delivery/queue/spool.ts";
import { Misuse } from "../kit/trouble.ts";
import type { EventName } from "../ledger/events.ts";
import { maskAddress, maskText } from "../ledger/masking.ts";
import { text } from "./globals.ts";
import type { Ground } from "./ground.ts";
import { readId } from "./ledger-ask.ts";
import { Refused } from "./output.ts";
import { parseMoment } from "./times.ts";
import { loginName } from "./who.ts";

/** Opens the spool, closed when `use` is done. @throws Refused when there is none */
export async function withSpool<T>(ground: Ground, use: (desk: SpoolDesk) => Promise<T>): Promise<T> {
  const [{ spoolDir }, { hasSpool }, { openSpoolDesk }] = await Promise.all([
    import("../delivering.ts"),
    import("../stores/spool/place.ts"),
    import("../stores/spool/desk.ts"),
  ]);
  const dir = spoolDir(ground.config);
  if (!hasSpool(dir))
    throw new Refused(`there is no queue in ${ground.config.dataDir}: nextHop.mode was never queue here`);
  const desk = openSpoolDesk(dir, ground.config.queue.timeoutMs);
  try {
    return await use(desk);
  } finally {
    await desk.close();
  }
}

export const byOption = text("who does it, for the ledger; default: your login");
export const actorOf = (by: string | undefined): string => by ?? loginName();

/** Options that say which mails are meant. */
export interface Which {
  readonly ids?: readonly string[] | undefined;
  readonly destination?: string | undefined;
  readonly client?: string | undefined;
  readonly sender?: string | undefined;
  readonly recipient?: string | undefined;
  readonly before?: string | undefined;
  readonly all?: boolean | undefined;
}

/** Domains are kept in small letters, next hops as they are written. */
export const readDestination = (given: string): string => (given.includes(":") ? given : given.toLowerCase());

export function readFilter({ destination, client, sender, recipient, before }: Which, nowMs: number): Filter {
  return {
    ...(destination !== undefined && { destination: readDestination(destination) }),
    ...(client !== undefined && { client }),
    ...(sender !== undefined && { sender: sender.toLowerCase() }),
    ...(recipient !== undefined && { recipient: recipient.toLowerCase() }),
    ...(before !== undefined && { beforeMs: parseMoment(before, "before", nowMs).ms }),
  };
}

/**
 * The mails that are meant: those named, else those that match. What is done to one must not change what comes next.
 * @throws Misuse when nothing says which; Refused for an id that is not in the queue
 */
export async function* meant(desk: SpoolDesk, which: Which, more: Filter = {}): AsyncGenerator<Listed> {
  const named = which.ids ?? [];
  const filter = readFilter(which, Date.now());
  if (named.length === 0 && Object.keys(filter).length === 0 && !which.all) {
    throw new Misuse(
      "which mails? name them, or give --destination, --client, --sender, --recipient, --before or --all",
    );
  }
  if (named.length === 0) return yield* desk.list({ ...filter, ...more });
  for (const id of named) {
    const found = await desk.find(readId(id));
    if (!found) throw new Refused(`${id} is not in the queue; consentry trace ${id} tells what became of it`);
    yield found;
  }
}

/** Writes down what an operator did to a mail: an entry for each recipient that waits. */
export async function noteMail(
  ground: Ground,
  mail: QueuedMail,
  { event, by, evidence }: { event: EventName; by: string; evidence?: Record<string, string> },
): Promise<void> {
  const [{ queueEntries }, { domainList }] = await Promise.all([
    import("../delivery/queue/entries.ts"),
    import("../mail/domains.ts"),
  ]);
  const places = mail.recipients.flatMap(({ state }, place) => (state === "waiting" ? [place] : []));
  const what = {
    event,
    actor: by,
    ...(mail.hold && { rule: mail.hold.rule, source: mail.hold.source }),
    ...(evidence && { evidence }),
  };
  const entries = queueEntries(mail, places, { isLocal: domainList(ground.config.localDomains).has, what: () => what });
  for (const entry of entries) await ground.record(entry);
}

const timeOf = (ms: number): string => new Date(ms).toISOString();

/** A mail as other programs read it. @param masked without whole addresses */
export function shownMail({ mail, state, destinations }: Listed, masked: boolean) {
  const address = (text: string): string => (masked ? maskAddress(text) : text);
  const words = (text: string): string => (masked ? maskText(text) : text);
  const { hold } = mail;
  return {
    id: mail.id,
    state,
    arrivedAt: timeOf(mail.arrivedAt),
    expiresAt: timeOf(mail.expiresAt),
    sender: address(mail.sender.address?.text ?? ""),
    bytes: mail.bytes,
    ...(mail.session.clientId !== undefined && { client: mail.session.clientId }),
    ...(mail.isReport && { isReport: true }),
    ...(hold && { hold: { ...hold, since: timeOf(hold.since), until: timeOf(hold.until) } }),
    recipients: mail.recipients.map(({ recipient, nextAt, last, ...rest }, place) => ({
      recipient: address(recipient.address.text),
      destination: destinations[place] ?? "",
      ...rest,
      ...(rest.state === "waiting" && { nextAt: timeOf(nextAt) }),
      ...(last && { last: { at: timeOf(last.at), reply: words(last.reply.lines.join(" / ")), code: last.reply.code } }),
    })),
  };
}

export type ShownMail = ReturnType<typeof shownMail>;

/** One line for people. */
export function mailLine({ id, state, arrivedAt, sender, recipients, bytes, hold }: ShownMail): string {
  const waiting = recipients.filter(({ state: each }) => each === "waiting");
  const to = waiting[0]?.recipient ?? recipients[0]?.recipient ?? "";
  const more = waiting.length > 1 ? ` and ${waiting.length - 1} more` : "";
  const last = waiting.find((each) => each.last)?.last;
  const next = state === "held" ? `until ${hold?.until ?? ""}` : `next ${waiting[0]?.nextAt ?? ""}`;
  const why = hold ? `${hold.rule ?? hold.by ?? ""}: ${hold.reason}` : last ? `${last.code} ${last.reply}` : "";
  return `${id}  ${state.padEnd(8)}  ${arrivedAt}  ${bytes}  ${sender || "<>"} → ${to}${more}  ${next}  ${why}`.trimEnd();
}
