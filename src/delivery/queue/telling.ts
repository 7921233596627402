/** Who is told by a mail what became of his, and the report as one more mail for the queue. */
import type { Ids } from "../../kit/ids.ts";
import type { Log } from "../../kit/log.ts";
import type { Parcel } from "../next-hop.ts";
import type { Carrier, QueuedMail, Report, Reporter } from "./queued.ts";
import { limitsOf, type Times } from "./schedule.ts";
import type { NewMail, Settlement } from "./spool.ts";

export interface TellingParts {
  readonly carrier: Carrier;
  readonly ids: Pick<Ids, "sealed">;
  readonly log: Log;
  readonly now: () => number;
  readonly times: () => Times;
  readonly hostname: () => string;
  /** Absent: nobody is told, the ledger knows. */
  readonly reporter?: Reporter;
}

/** Largest mail that goes back whole, bytes; of a larger one the header block (RFC 3461 4.3 leaves that to us). */
const WHOLE_BYTES_MAX = 100_000;

/**
 * Only a sender who is known may be told: a client of ours, or one whose domain vouches for the mail. Anybody else may have been
 * given a sender that is not his, and the report would reach somebody who sent nothing. Never a report on a report.
 */
export const mayBeTold = ({ sender, session, isProven, isReport }: QueuedMail): boolean =>
  sender.address !== null &&
  !isReport &&
  (session.clientId !== undefined || session.inRelayNetworks || isProven === true);

/** Why somebody who sent a mail hears nothing of it: for its entry; undefined: he does, or there is nobody. */
export const untoldBecause = (mail: QueuedMail): string | undefined =>
  mail.sender.address === null || mail.isReport || mayBeTold(mail) ? undefined : "nothing proves the sender";

type Ready = Settlement["reports"][number];

/** @returns the report, unless nobody is to be told. @throws Unavailable when the content cannot be read */
export async function reportOn(
  parts: TellingParts,
  about: Pick<Report, "kind" | "mail" | "recipients">,
  content: () => Promise<Parcel>,
): Promise<Ready | undefined> {
  if (!parts.reporter || about.recipients.length === 0 || !mayBeTold(about.mail)) return undefined;
  const { mail } = about;
  const isWhole =
    mail.sender.ret === "FULL" && mail.bytes <= WHOLE_BYTES_MAX && ["failed", "expired"].includes(about.kind);
  const original = await originalOf(await content(), isWhole);
  const own = await parts.reporter.compose({ ...about, original, isWhole });
  if (!own) return undefined;
  return { own, mail: reportMail(parts, mail, own) };
}

function reportMail(
  { carrier, ids, now, times, hostname }: TellingParts,
  about: QueuedMail,
  own: Ready["own"],
): NewMail {
  const arrivedAt = now();
  const { expiresAt } = limitsOf(times(), arrivedAt);
  const { session } = about;
  const mail: QueuedMail = {
    id: ids.sealed(),
    arrivedAt,
    expiresAt,
    session: {
      id: session.id,
      door: session.door,
      role: session.role,
      clientIp: "127.0.0.1",
      clientPort: 0,
      serverIp: "127.0.0.1",
      serverPort: 0,
      helo: hostname(),
      inRelayNetworks: false,
    },
    sender: { address: null, eightBit: own.eightBit, smtpUtf8: own.smtpUtf8, requireTls: about.sender.requireTls },
    bytes: own.text.length,
    isReport: true,
    recipients: [{ recipient: own.recipient, state: "waiting", attempts: 0, nextAt: arrivedAt }],
  };
  return { ...mail, destinations: [carrier.destinationOf(mail, own.recipient)], lateAt: expiresAt };
}

const HEADER_BYTES_MAX = 65_536;

async function originalOf({ front, whole, read }: Parcel, isWhole: boolean): Promise<Buffer> {
  const bytesMax = isWhole ? Number.POSITIVE_INFINITY : HEADER_BYTES_MAX;
  const pieces = [front];
  let bytes = front.length;
  for await (const piece of whole ? [whole] : read()) {
    pieces.push(piece);
    bytes += piece.length;
    if (bytes >= bytesMax) break;
  }
  const text = Buffer.concat(pieces);
  if (isWhole) return text;
  const end = text.indexOf("\r\n\r\n");
  return text.subarray(0, end < 0 ? HEADER_BYTES_MAX : end + 2);
}
