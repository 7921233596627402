/**
 * Answers to advertisements on their way to the advertiser: who writes words of refusal has refused (Order 38 art. 14 asks for a contact,
 * and people answer). It is recorded before the mail goes on, and it goes on in any case; mail to anybody else passes untouched.
 */
import type { Handover, NextHop, Parcel } from "../delivery/next-hop.ts";
import type { Client } from "../mail/client.ts";
import { Headers } from "../mail/headers.ts";
import { mailboxesIn } from "../mail/mailboxes.ts";
import { topOfReply } from "../mail/reply-top.ts";
import { decodedSubject } from "../mail/subject.ts";
import { readText } from "../mail/text.ts";
import type { Sender, Session } from "../mail/views.ts";
import type { Advertisers } from "./advertisers.ts";
import type { Desk } from "./desk.ts";
import { startOf } from "./parcel-start.ts";
import type { WordsOfRefusal } from "./refusal-words.ts";

export interface ReplyParts {
  readonly desk: Pick<Desk, "refuse">;
  readonly advertisers: Advertisers;
  readonly refuses: WordsOfRefusal;
}

export function replyHop(inner: NextHop, parts: ReplyParts): NextHop {
  return {
    name: inner.name,
    ...(inner.full && { full: () => inner.full?.() }),
    ping: () => inner.ping(),
    close: (graceMs) => inner.close(graceMs),
    begin: (session, sender, mailId) => {
      const handover = inner.begin(session, sender, mailId);
      // Nobody answers whom no one can answer, and clients advertise: they do not refuse.
      return sender.address === null ? handover : listening(handover, { ...parts, session, sender });
    },
  };
}

interface Listening extends ReplyParts {
  readonly session: Session;
  readonly sender: Sender;
}

function listening(inner: Handover, listener: Listening): Handover {
  const clients = new Set<Client>();
  return {
    ...(inner.answersEach !== undefined && { answersEach: inner.answersEach }),
    ...(inner.drop && { drop: (recipient, why) => inner.drop?.(recipient, why) }),
    ...(inner.hold && { hold: (reason, by) => inner.hold?.(reason, by) }),
    async rcpt(recipient) {
      const found = listener.advertisers.of(recipient.address.domain);
      for (const client of found instanceof Promise ? await found : found) clients.add(client);
      return inner.rcpt(recipient);
    },
    async data(parcel, ready) {
      if (clients.size > 0) {
        ready.catch(() => undefined);
        await listen(parcel, [...clients], listener);
      }
      return inner.data(parcel, ready);
    },
    abort: () => inner.abort(),
  };
}

/** @throws Unavailable: then the mail is put off, and the word with it */
async function listen(parcel: Parcel, clients: readonly Client[], { desk, advertisers, refuses, ...from }: Listening) {
  const bytes = await startOf(parcel);
  const headers = Headers.parse(bytes);
  const writer = writerOf(headers, from.sender);
  if (writer === undefined || !isAnswer(headers) || speaksByItself(headers)) return;
  if (clients.some(({ domains }) => domains.includes(writer.domain))) return;
  const body = topOfReply(readText(bytes).text);
  if (!refuses(body === "" ? withoutRe(decodedSubject(headers) ?? "") : body)) return;
  const advertiser = await advertisers.meant(clients, writer.key);
  if (advertiser === undefined) return;
  await desk.refuse({ advertiser, recipient: writer.key, how: "reply", ip: from.session.clientIp });
}

/** The one who wrote it, when envelope and From agree. */
function writerOf(headers: Headers, { address }: Sender) {
  const { addresses } = mailboxesIn(headers, "from")[0] ?? { addresses: [] };
  const [author] = addresses;
  return addresses.length === 1 && author && author.key === address?.key ? author : undefined;
}

const RE = /^\s*(?:re|aw|sv|antw|回复|答复|回覆|trả lời|tl)\s*(?:\[\d+\])?\s*[:：]\s*/i;

const withoutRe = (subject: string): string => {
  let rest = subject;
  for (let before = ""; before !== rest; ) {
    before = rest;
    rest = rest.replace(RE, "");
  }
  return rest;
};

const isAnswer = (headers: Headers): boolean =>
  headers.count("in-reply-to") > 0 || headers.count("references") > 0 || RE.test(decodedSubject(headers) ?? "");

/** Absence notices, lists and machines (RFC 3834): they quote and they say "stop" to nobody. */
function speaksByItself(headers: Headers): boolean {
  const automatic = headers.first("auto-submitted")?.trim() ?? "no";
  if (!/^no\b/i.test(automatic)) return true;
  if (/^(?:bulk|list|junk|auto_reply)\b/i.test(headers.first("precedence")?.trim() ?? "")) return true;
  return ["list-id", "list-post", "x-autoreply", "x-autorespond", "x-auto-response-suppress", "x-ad"].some(
    (name) => headers.count(name) > 0,
  );
}
