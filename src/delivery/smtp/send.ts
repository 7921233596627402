import type { Parcel } from "../next-hop.ts";
import type { Connection } from "./connection.ts";
import { DotStuffer } from "./dots.ts";
import type { ServerReply } from "./replies-in.ts";

/** Up to this size a mail goes out in one write, dot and all; larger ones are streamed. */
const ONE_WRITE_BYTES_MAX = 65_536;

export interface Sending {
  /** Awaited before the dot. */
  readonly ready: Promise<unknown>;
  /** How many replies end the mail: one, or with LMTP one for each accepted recipient. */
  readonly replies: number;
  /** Longest time without progress. */
  readonly timeoutMs: number;
  /** Longest wait for what is said to the whole mail; absent: the same. */
  readonly endMs?: number;
}

/**
 * Sends the mail after the 354 and waits for what the server says to it.
 * @throws Unavailable, or what `ready` or the reading of the mail threw; the dot was then not sent and the caller must
 * end the connection
 */
export async function sendMail(
  connection: Connection,
  parcel: Parcel,
  sending: Sending,
): Promise<readonly ServerReply[]> {
  const { front, whole } = parcel;
  const isSmall = whole && front.length + whole.length <= ONE_WRITE_BYTES_MAX;
  const dots = new DotStuffer();
  const head = isSmall ? [dots.push(front), dots.push(whole)] : [];
  if (!isSmall) await stream(connection, parcel, { dots, timeoutMs: sending.timeoutMs });
  await connection.during(sending.ready, "waiting for our own record", sending.timeoutMs);
  const { replies, endMs = sending.timeoutMs } = sending;
  return connection.ask(pieces([...head, dots.end()]), "end of the mail", { replies, timeoutMs: endMs });
}

/** Small ones are cheaper as one; of large ones a copy is dearer than a list. */
const COPY_BYTES_MAX = 16_384;
function pieces(all: readonly Buffer[]): readonly Buffer[] {
  const bytes = all.reduce((sum, each) => sum + each.length, 0);
  return bytes <= COPY_BYTES_MAX ? [Buffer.concat(all, bytes)] : all.filter((each) => each.length > 0);
}

async function stream(
  connection: Connection,
  parcel: Parcel,
  { dots, timeoutMs }: { dots: DotStuffer; timeoutMs: number },
): Promise<void> {
  await connection.write(dots.push(parcel.front), timeoutMs);
  const pieces = parcel.read()[Symbol.asyncIterator]();
  try {
    for (;;) {
      const { done, value } = await connection.during(pieces.next(), "reading the mail", timeoutMs);
      if (done) return;
      await connection.write(dots.push(value), timeoutMs);
    }
  } finally {
    // Without waiting: a read that hangs must not keep us.
    pieces.return?.().catch(() => {});
  }
}
