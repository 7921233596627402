/**
 * The milter door: what Postfix or Sendmail tells of a session becomes the same views the SMTP door fills, and the replies of
 * intake become the MTA's. It decides nothing; the MTA keeps the mail, so the next hop of this door is the MTA itself.
 */
import { isLoopback } from "../../kit/ip.ts";
import type { Log } from "../../kit/log.ts";
import { Unavailable } from "../../kit/trouble.ts";
import { isPositive, type Reply, writeReply } from "../../mail/replies.ts";
import type { Recipient, Sender, Session } from "../../mail/views.ts";
import { createContentWriter } from "../content-writer.ts";
import { type Intake, isReply, type Reception } from "../intake.ts";
import { troubleReply } from "../spoken.ts";
import type { Transaction } from "../transaction.ts";
import type { Edits } from "./edits.ts";
import { NO_RECIPIENTS, readRecipient, readSender } from "./envelope.ts";
import type { BodyAnswer, MailAnswer, MilterHandler, MilterPeer, SessionAnswer } from "./handler.ts";
import type { Macros } from "./macros.ts";
import { createMailText, type MailText, type TextBounds } from "./mail-text.ts";
import { applyPlan, createMtaHop, type MtaHop } from "./mta-hop.ts";
import type { ConnectInfo } from "./payload.ts";
import { createReturning, type Site } from "./returning.ts";
import { createSessionTeller, isLocalMail, type SessionParts } from "./session.ts";

interface Ranges {
  has(ip: string): boolean;
}

export interface MilterDoorParts extends SessionParts {
  readonly intake: Intake;
  readonly log: Log;
  readonly spillDir: string;
  readonly newSessionId: () => string;
  readonly nowMs: () => number;
  readonly site: () => Site;
  readonly settings: () => {
    readonly limits: TextBounds & { readonly recipientsMax: number; readonly connectionsMax: number };
    readonly relayNetworks: Ranges;
    readonly trustedProxies: Ranges;
  };
}

/** A mail between MAIL and its end. */
interface OpenMail {
  readonly sender: Sender;
  readonly transaction: Transaction;
  readonly text: MailText;
  /** Accepted recipients by the key registers know them under, with every way the client wrote them. */
  readonly accepted: Map<string, { readonly recipient: Recipient; readonly spellings: string[] }>;
}

/** One SMTP session of the MTA's. */
export const createMilterSession = (parts: MilterDoorParts, peer: Pick<MilterPeer, "edits">): MilterHandler =>
  new MilterSession(parts, peer);

class MilterSession implements MilterHandler {
  private readonly parts: MilterDoorParts;
  private readonly hop: MtaHop;
  private readonly tell: ReturnType<typeof createSessionTeller>;
  private info: ConnectInfo | undefined;
  private name: string | undefined;
  private reception: Reception | undefined;
  private open: OpenMail | undefined;

  constructor(parts: MilterDoorParts, peer: Pick<MilterPeer, "edits">) {
    this.parts = parts;
    this.hop = createMtaHop(peer.edits);
    this.tell = createSessionTeller(parts.newSessionId(), parts);
  }

  connect(connection: ConnectInfo, macros: Macros): Promise<SessionAnswer> {
    this.info = connection;
    return this.step(async () => {
      // A register that is away does not refuse the connection: the first mail asks again.
      const opened = await this.reach(macros).catch(ignoreAway);
      return (await opened?.connect()) ?? "continue";
    });
  }

  helo(name: string): SessionAnswer {
    this.name = name.toLowerCase();
    return "continue";
  }

  mail(args: readonly string[], macros: Macros): Promise<MailAnswer> {
    return this.step(async () => {
      this.abort();
      const { limits } = this.parts.settings();
      const sender = readSender(args, limits);
      if (isRefusal(sender)) return sender;
      const transaction = await this.begin(sender, macros);
      if (isReply(transaction)) return transaction;
      const text = createMailText(limits, createContentWriter({ ...limits, spillDir: this.parts.spillDir }));
      this.open = { sender, transaction, text, accepted: new Map() };
      return "continue";
    });
  }

  rcpt(args: readonly string[]): Promise<MailAnswer> {
    return this.step(async () =>
      this.open ? takeRecipient(this.open, args, this.parts.settings().limits) : writeReply("local-trouble"),
    );
  }

  data(): MailAnswer {
    return "continue";
  }

  header(name: string, value: string): MailAnswer {
    this.open?.text.header(name, value);
    return "continue";
  }

  endOfHeaders(): MailAnswer {
    return "continue";
  }

  body(chunk: Buffer): BodyAnswer | Promise<BodyAnswer> {
    const text = this.open?.text;
    const slow = text?.body(chunk);
    if (slow) return slow.then(() => "continue");
    return text?.defect ? "skip" : "continue";
  }

  endOfMessage(edits: Edits, macros: Macros): Promise<MailAnswer> {
    return this.step(() => this.finish(edits, macros));
  }

  unknown(): SessionAnswer {
    return "continue";
  }

  abort(): void {
    this.open?.transaction.abort();
    void this.open?.text.discard();
    this.open = undefined;
  }

  close(): void {
    this.abort();
  }

  /** Whatever goes wrong is an answer that leaves the mail with the client. */
  private step<T>(work: () => Promise<T>): Promise<T | Reply> {
    return work().catch((error: unknown) => troubleReply(error, this.parts.log));
  }

  private async reach(macros: Macros): Promise<Reception> {
    const session = await this.tell({ info: this.info, helo: this.name, macros });
    if (this.reception) this.reception.update(session);
    else this.reception = this.parts.intake.open(session, this.hop);
    return this.reception;
  }

  private async begin(sender: Sender, macros: Macros): Promise<Transaction | Reply> {
    const opened = await this.reach(macros);
    const { session } = opened;
    const { parts, hop } = this;
    if (!mayReturn(session, this.info, parts)) return opened.mail(sender);
    const open = (passedAs?: string) => parts.intake.open(session, hop, passedAs);
    return createReturning({ open, site: parts.site(), nowMs: parts.nowMs }, sender);
  }

  private async finish(edits: Edits, macros: Macros): Promise<MailAnswer> {
    const ended = this.open;
    this.open = undefined;
    if (!ended) return writeReply("local-trouble");
    if (ended.accepted.size === 0) {
      ended.transaction.abort();
      await ended.text.discard();
      return NO_RECIPIENTS;
    }
    const reply = await judge(ended, macros.get("i"));
    if (!isPositive(reply)) return reply;
    const spellings = ({ address }: Recipient) => ended.accepted.get(address.key)?.spellings ?? [];
    applyPlan(this.hop.plan(), edits, spellings);
    return "continue";
  }
}

function ignoreAway(error: unknown): undefined {
  if (!(error instanceof Unavailable)) throw error;
}

const isRefusal = (read: Sender | Recipient | Reply): read is Reply => "code" in read;

/** Greets with our own name from where our own next hop is: perhaps ourselves, see returning.ts. */
function mayReturn({ clientIp, helo, login }: Session, info: ConnectInfo | undefined, parts: MilterDoorParts): boolean {
  if (login !== undefined || helo !== parts.site().hostname || isLocalMail(info)) return false;
  return isLoopback(clientIp) || parts.settings().trustedProxies.has(clientIp);
}

async function takeRecipient(
  { sender, transaction, accepted }: OpenMail,
  args: readonly string[],
  { recipientsMax }: { readonly recipientsMax: number },
): Promise<MailAnswer> {
  const recipient = readRecipient(args, sender);
  if (isRefusal(recipient)) return recipient;
  const { key } = recipient.address;
  const spelling = args[0] ?? "";
  const known = accepted.get(key);
  if (known) {
    if (!known.spellings.includes(spelling) && known.spellings.length < recipientsMax) known.spellings.push(spelling);
    return "continue";
  }
  if (accepted.size >= recipientsMax) return writeReply("too-many-recipients");
  const reply = await transaction.rcpt(recipient);
  if (!isPositive(reply)) return reply;
  accepted.set(key, { recipient, spellings: [spelling] });
  return "continue";
}

async function judge({ transaction, text }: OpenMail, queueId: string | undefined): Promise<Reply> {
  const known = queueId === undefined ? {} : { queueId };
  if (text.defect) {
    await text.discard();
    return transaction.refuse(text.defect.reply, text.defect.detail, known);
  }
  const content = await text.finish().catch(ignoreAway);
  if (!content) return transaction.refuse("disk-full", undefined, known);
  try {
    return await transaction.data(content, known);
  } finally {
    await content.dispose();
  }
}
