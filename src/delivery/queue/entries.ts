import type { EventName } from "../../ledger/events.ts";
import type { Happening } from "../../ledger/recorder.ts";
import { type Reply, replyText } from "../../mail/replies.ts";
import type { Attempt, QueuedMail } from "./queued.ts";
import { untoldBecause } from "./telling.ts";

/** What happened to one recipient of a mail in the queue. */
export interface What {
  readonly event: EventName;
  readonly verdict?: "accept" | "hold" | "defer" | "reject";
  readonly reply?: Reply;
  readonly nextHopIp?: string | undefined;
  readonly rule?: string | undefined;
  readonly source?: string | undefined;
  readonly actor?: string;
  readonly evidence?: Readonly<Record<string, string | number | boolean>>;
}

type IsLocal = (domain: string) => boolean;

/** An entry for each of these recipients, by their place; who and whence as they stand in the entry of the mail's arrival. */
export const queueEntries = (
  mail: QueuedMail,
  places: readonly number[],
  { isLocal, what }: { isLocal: IsLocal; what: (place: number) => What },
): Happening[] => places.map((place) => entryOf(mail, place, { isLocal, what: what(place) }));

function entryOf(mail: QueuedMail, place: number, { isLocal, what }: { isLocal: IsLocal; what: What }): Happening {
  const { id, door, clientIp, clientPort, serverIp, helo, login, tls, clientId } = mail.session;
  const address = mail.recipients[place]?.recipient.address;
  const { reply, rule, source, nextHopIp, ...rest } = what;
  const untold = ENDS.has(rest.event) ? untoldBecause(mail) : undefined;
  return {
    mailId: mail.id,
    sessionId: id,
    door,
    clientIp,
    clientPort,
    serverIp,
    ...(helo !== undefined && { helo }),
    ...(login !== undefined && { login }),
    ...(clientId !== undefined && { client: clientId }),
    ...(tls !== undefined && { tls }),
    sender: mail.sender.address?.text ?? "",
    ...(address && { recipient: address.text, direction: isLocal(address.domain) ? "in" : "out" }),
    sizeBytes: mail.bytes,
    ...rest,
    ...(untold !== undefined && { evidence: { ...rest.evidence, untold } }),
    ...(nextHopIp !== undefined && { nextHopIp }),
    ...(reply && { reply: replyText(reply) }),
    ...(rule !== undefined && { rules: [rule] }),
    ...(source !== undefined && { articles: [source] }),
  };
}

/** Of these a sender is told, where he may be. */
const ENDS: ReadonlySet<EventName> = new Set(["bounced", "expired"]);

const EVENTS = { delivered: "handed-over", later: "delayed", failed: "bounced" } as const;
const VERDICTS = { delivered: "accept", later: "defer", failed: "reject" } as const;

export const whatOf = ({ kind, reply, serverIp }: Attempt): What => ({
  event: EVENTS[kind],
  verdict: VERDICTS[kind],
  reply,
  nextHopIp: serverIp,
});
