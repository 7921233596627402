/**
 * Sends what lies in the outbox through the next hop. Called every now and then and after each refusal; what the next hop does not
 * take now stays for the next round, what it refuses for good is given up and written down.
 */
import type { NextHop } from "../delivery/next-hop.ts";
import { parcelOf } from "../delivery/parcel.ts";
import type { Clock } from "../kit/clock.ts";
import type { Ids } from "../kit/ids.ts";
import type { Log } from "../kit/log.ts";
import type { Recorder } from "../ledger/recorder.ts";
import { parseAddress } from "../mail/path.ts";
import { isPositive, type Reply } from "../mail/replies.ts";
import type { Sender, Session } from "../mail/views.ts";
import { compose, inMemory } from "./compose.ts";
import type { Notice, Outbox } from "./outbox.ts";
import type { Tokens } from "./tokens.ts";

export interface Postman {
  /** Sends until nothing is left that can be sent now. Never throws. */
  round(): Promise<void>;
  /** The notice being sent may end; no other begins. */
  stop(): Promise<void>;
}

export interface PostmanParts {
  readonly outbox: Outbox;
  readonly tokens: Tokens;
  readonly nextHop: () => NextHop;
  readonly recorder: Recorder;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly log: Log;
  readonly hostname: string;
  /** The desk's own address. */
  readonly address: string;
  /** Of the pages, without a slash at the end. */
  readonly publicUrl: string | undefined;
  /** Signs what is written, as it leaves. */
  sign(whole: Buffer): Promise<Buffer>;
}

/** Mails of one round. */
const ROUND_MAX = 500;
/** After so long somebody who took a notice is gone. */
const LOST_AFTER_MS = 600_000;
/** RFC 5321 4.5.5: nobody shall answer or bounce it. */
const NOBODY: Sender = { address: null, eightBit: false, smtpUtf8: false, requireTls: false };

type Fate = "sent" | "refused" | "later";

export function createPostman(parts: PostmanParts): Postman {
  const { outbox, log } = parts;
  let walking: Promise<void> | undefined;
  let stopped = false;
  const walk = async (): Promise<void> => {
    for (const notice of await outbox.lost(LOST_AFTER_MS)) await write(parts, notice, "perhaps");
    for (let sent = 0; sent < ROUND_MAX && !stopped; sent += 1) {
      const notice = await outbox.take();
      if (!notice) return;
      const fate = await send(parts, notice);
      if (fate === "later") return outbox.giveBack(notice);
      await write(parts, notice, fate);
      await outbox.done(notice);
    }
  };
  return {
    async stop() {
      stopped = true;
      await walking;
    },
    round() {
      walking ??= walk()
        .catch((error: unknown) => log.warn({ reason: (error as Error).message }, "notices wait: could not be sent"))
        .finally(() => {
          walking = undefined;
        });
      return walking;
    },
  };
}

async function send(parts: PostmanParts, notice: Notice): Promise<Fate> {
  const { ids, clock, tokens, hostname, address, publicUrl } = parts;
  const recipient = parseAddress(notice.recipient);
  if (!recipient) return "refused";
  const mailId = ids.sealed();
  const { advertiser } = notice;
  const token = tokens.make({ kind: "agree", advertiser, recipient: notice.recipient });
  const link = publicUrl === undefined ? undefined : `${publicUrl}/agree/${token}`;
  const text = compose(notice, { hostname, address, nowMs: clock.now(), mailId, link, token });
  const content = inMemory(await parts.sign(text));
  const sender = { ...NOBODY, sizeBytes: content.bytes, smtpUtf8: !/^[\x20-\x7e]*$/.test(notice.recipient) };
  const handover = parts.nextHop().begin(ourSession(mailId, hostname), sender, mailId);
  try {
    const asked = await handover.rcpt({ address: recipient });
    if (!isPositive(asked)) {
      handover.abort();
      return fateOf(asked);
    }
    const { replies } = await handover.data(parcelOf(content, Buffer.alloc(0), []), Promise.resolve());
    return replies[0] ? fateOf(replies[0]) : "later";
  } catch (error) {
    handover.abort();
    parts.log.warn({ reason: (error as Error).message }, "a notice waits for the next hop");
    return "later";
  }
}

const fateOf = (reply: Reply): Fate => (isPositive(reply) ? "sent" : reply.code >= 500 ? "refused" : "later");

const ourSession = (id: string, hostname: string): Session => ({
  id,
  door: "check",
  role: "mx",
  clientIp: "127.0.0.1",
  clientPort: 0,
  serverIp: "127.0.0.1",
  serverPort: 0,
  helo: hostname,
  inRelayNetworks: true,
});

const write = ({ recorder }: PostmanParts, notice: Notice, outcome: "sent" | "refused" | "perhaps"): Promise<void> =>
  recorder.record([
    {
      event: "notice-sent",
      recipient: notice.recipient,
      evidence: { notice: notice.kind, advertiser: notice.advertiser, outcome },
    },
  ]);
