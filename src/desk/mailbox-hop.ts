/**
 * The desk's own address as a place mail can go: a next hop in front of the real one. What is written to it is read here and goes
 * no further; all other mail passes through untouched.
 */
import type { Handover, NextHop, Outcome, Parcel } from "../delivery/next-hop.ts";
import { Headers } from "../mail/headers.ts";
import { mailboxesIn } from "../mail/mailboxes.ts";
import { type Reply, writeReply } from "../mail/replies.ts";
import { decodedSubject } from "../mail/subject.ts";
import type { Recipient, Sender, Session } from "../mail/views.ts";
import type { Desk } from "./desk.ts";
import { startOf } from "./parcel-start.ts";
import type { Meaning, Tokens } from "./tokens.ts";

export interface MailboxParts {
  readonly desk: Desk;
  readonly tokens: Tokens;
  /** The desk's address, lower case; undefined: it has none. */
  readonly address: () => string | undefined;
}

/** @param swallows the mail ends here; else (the MTA has it already) it is read and goes on */
export function mailboxHop(inner: NextHop, parts: MailboxParts, { swallows }: { swallows: boolean }): NextHop {
  return {
    name: inner.name,
    ...(inner.full && { full: () => inner.full?.() }),
    ping: () => inner.ping(),
    close: (graceMs) => inner.close(graceMs),
    begin(session, sender, mailId) {
      const handover = inner.begin(session, sender, mailId);
      return parts.address() === undefined ? handover : watched(handover, { ...parts, swallows, session, sender });
    },
  };
}

interface Watch extends MailboxParts {
  readonly swallows: boolean;
  readonly session: Session;
  readonly sender: Sender;
}

/** Decides at the first recipient whose mail it is; one mail goes to the desk or elsewhere, never both. */
function watched(inner: Handover, watch: Watch): Handover {
  let isOurs: boolean | undefined;
  const isDesk = ({ address }: Recipient): boolean => address.key === watch.address();
  return {
    ...(inner.answersEach !== undefined && { answersEach: inner.answersEach }),
    ...(inner.drop && { drop: (recipient, why) => inner.drop?.(recipient, why) }),
    ...(inner.hold && { hold: (reason, by) => inner.hold?.(reason, by) }),
    async rcpt(recipient) {
      const ours = isDesk(recipient);
      if (isOurs !== undefined && isOurs !== ours && watch.swallows) {
        return writeReply("too-many-recipients", { detail: "one at a time" });
      }
      isOurs = isOurs === true || ours;
      return ours && watch.swallows ? TAKEN : inner.rcpt(recipient);
    },
    async data(parcel, ready) {
      if (!isOurs) return inner.data(parcel, ready);
      const reply = await readMail(parcel, watch);
      if (!watch.swallows) return inner.data(parcel, ready);
      await ready;
      return { replies: [reply] } satisfies Outcome;
    },
    abort: () => inner.abort(),
  };
}

const TAKEN: Reply = { code: 250, enhanced: "2.1.5", lines: ["tell us whom you refuse"] };
const DONE: Reply = { code: 250, enhanced: "2.0.0", lines: ["recorded"] };

/** What the mail says is done before it is answered. @throws Unavailable */
async function readMail(parcel: Parcel, { desk, tokens, sender, session }: Watch): Promise<Reply> {
  const text = await startOf(parcel);
  const headers = Headers.parse(text);
  const automatic = /^auto-/i.test(headers.first("auto-submitted") ?? "") || sender.address === null;
  // An absence notice must not say yes or no for anybody.
  if (automatic) return DONE;
  const meaning = tokens.find(decodedSubject(headers) ?? "") ?? tokens.find(text.toString("latin1"));
  const writer = mailboxesIn(headers, "from")[0]?.addresses[0];
  const recipient = meaning?.recipient ?? writer?.key;
  if (!meaning || !recipient) return writeReply("refusal-unreadable");
  return (await act(desk, meaning, { recipient, ip: session.clientIp })) ? DONE : writeReply("refusal-stands");
}

async function act(desk: Desk, meaning: Meaning, who: { recipient: string; ip: string }): Promise<boolean> {
  const word = { advertiser: meaning.advertiser, ...who, how: "mail" } as const;
  if (meaning.kind === "agree") return desk.agree(word, meaning);
  await desk.refuse(word);
  return true;
}
