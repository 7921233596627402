import { withDeadline } from "../kit/deadline.ts";
import { Unavailable } from "../kit/trouble.ts";
import { type Reply, writeReply } from "../mail/replies.ts";
import type { Recipient, Sender } from "../mail/views.ts";
import { type Boxes, createBoxes, type Draft } from "./maildir-boxes.ts";
import type { Handover, NextHop, Outcome, Parcel } from "./next-hop.ts";

/**
 * The embedded next hop: one Maildir for each recipient under one directory, so that a relay can be tried, or a small site
 * be served, without a second server. The usual protocol: written and synced in tmp, renamed into new, the directory
 * synced; a reader never sees half a mail, and no mail is there before `ready`. Bytes stay as they came, CRLF included.
 */
export interface MaildirOptions {
  /** In file names. */
  readonly hostname: string;
  /** For writing one mail to all its recipients. */
  readonly timeoutMs: number;
  /** Keys of the addresses that exist; absent: every address does. */
  readonly mailboxes?: readonly string[] | undefined;
}

const ACCEPTED: Reply = { code: 250, enhanced: "2.1.5", lines: ["recipient ok"] };
const STORED: Reply = { code: 250, enhanced: "2.0.0", lines: ["stored"] };

/** One mail for the recipients accepted. */
interface Letter {
  readonly sender: Sender;
  readonly recipients: readonly Recipient[];
  readonly parcel: Parcel;
  readonly ready: Promise<unknown>;
  /** Nobody waits any more: it must not appear. */
  isGivenUp: boolean;
}

/** "alice+news@example.com" is Alice's, too (RFC 5233). */
const withoutDetail = (key: string): string => key.replace(/\+[^@]*(?=@[^@]*$)/, "");

/** @param path the directory that holds the mailboxes; made when it is missing */
export function maildirNextHop(path: string, options: MaildirOptions): NextHop {
  const name = `maildir:${path}`;
  const existing = options.mailboxes && new Set(options.mailboxes);
  const exists = (key: string): boolean =>
    existing === undefined || existing.has(key) || existing.has(withoutDetail(key));
  const boxes = createBoxes(path, options.hostname);
  const running = new Set<Promise<unknown>>();
  const store = async (letter: Letter): Promise<Outcome> => {
    const work = deliver(boxes, letter);
    running.add(work);
    work.catch(() => {}).finally(() => running.delete(work));
    try {
      return await withDeadline(work, options.timeoutMs, "disk", name);
    } finally {
      letter.isGivenUp = true;
    }
  };
  return {
    name,
    begin: (_session, sender) => handover(sender, exists, store),
    ping: () => boxes.check().catch((error: unknown) => Promise.reject(trouble(error))),
    async close(graceMs) {
      await withDeadline(Promise.allSettled(running), Math.max(1, graceMs), "disk", name).catch(() => {});
    },
  };
}

function handover(
  sender: Sender,
  exists: (key: string) => boolean,
  store: (letter: Letter) => Promise<Outcome>,
): Handover {
  const recipients: Recipient[] = [];
  let isOver = false;
  return {
    async rcpt(recipient) {
      if (isOver) throw new Error("rcpt() after the end of a handover");
      if (!exists(recipient.address.key)) return writeReply("no-local-mailbox");
      recipients.push(recipient);
      return ACCEPTED;
    },
    async data(parcel, ready) {
      ready.catch(() => {});
      if (isOver || recipients.length === 0) throw new Error("data() without an accepted recipient");
      isOver = true;
      return store({ sender, recipients, parcel, ready, isGivenUp: false });
    },
    abort() {
      isOver = true;
    },
  };
}

async function deliver(boxes: Boxes, letter: Letter): Promise<Outcome> {
  const drafts: Draft[] = [];
  try {
    const full = await orDiskFull(async () => {
      for (const recipient of letter.recipients) {
        drafts.push(await boxes.draft(recipient.address.key, pieces(letter, recipient)));
      }
    });
    if (full) return { replies: [full] };
    await letter.ready;
    const late = await orDiskFull(async () => {
      for (const draft of drafts) if (!letter.isGivenUp) await draft.publish();
    });
    return { replies: [late ?? STORED] };
  } finally {
    for (const draft of drafts) await draft.discard().catch(() => {});
  }
}

/** The mail as it is stored for one recipient. */
async function* pieces({ sender, parcel }: Letter, { address }: Recipient): AsyncIterable<Buffer> {
  const trace = `Return-Path: <${sender.address?.text ?? ""}>\r\nDelivered-To: ${address.text}\r\n`;
  const head = [Buffer.from(trace), parcel.front];
  if (parcel.whole) {
    yield Buffer.concat([...head, parcel.whole]);
  } else {
    yield Buffer.concat(head);
    yield* parcel.read();
  }
}

/** @returns the reply when the disk, or the owner's share of it, is full. @throws Unavailable for any other trouble */
async function orDiskFull(work: () => Promise<void>): Promise<Reply | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOSPC" || code === "EDQUOT") return writeReply("disk-full");
    throw trouble(error);
  }
}

/** Only the code, and no cause: the file system's own message names the recipient. */
function trouble(error: unknown): Unavailable {
  const code = error instanceof Error && "code" in error ? String(error.code) : "failed";
  return new Unavailable("disk", `maildir: ${code}`);
}
