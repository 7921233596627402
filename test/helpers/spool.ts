/** A spool in a directory of its own, on a clock that a test turns. */
import { onTestFinished } from "vitest";
import type { QueuedRecipient } from "../../src/delivery/queue/queued.ts";
import type { Ask, Lease, NewMail } from "../../src/delivery/queue/spool.ts";
import { parseAddress } from "../../src/mail/path.ts";
import { type OpenSpool, openSpool, type SpoolOptions } from "../../src/stores/spool/open.ts";
import { tempDir } from "./temp.ts";

export const START_MS = Date.UTC(2026, 10, 22, 10);
const DAY_MS = 86_400_000;

export interface TestSpool extends OpenSpool {
  readonly dir: string;
  readonly clock: { nowMs: number };
  /** Arrives and is confirmed. */
  put(id: string, more?: MailOptions): Promise<NewMail>;
  /** What is due now. */
  due(more?: Partial<Ask>): Promise<Lease[]>;
}

export interface MailOptions {
  readonly to?: readonly string[];
  /** Of each recipient; default: its domain. */
  readonly destinations?: readonly string[];
  readonly client?: string;
  readonly hold?: NewMail["hold"];
  readonly content?: Buffer;
  readonly nextAt?: number;
}

export async function testSpool(
  options: Partial<SpoolOptions> & { clock?: { nowMs: number } } = {},
): Promise<TestSpool> {
  const dir = options.dir ?? tempDir();
  const clock = options.clock ?? { nowMs: START_MS };
  const spool = await openSpool({
    dir,
    timeoutMs: 5_000,
    inlineBytesMax: 100_000,
    reserveBytes: 0,
    mailsMax: 1_000_000,
    now: () => clock.nowMs,
    role: "service",
    wereEntered: async () => new Set(),
    ...options,
  });
  onTestFinished(() => spool.close());
  return {
    ...spool,
    dir,
    clock,
    async put(id, more = {}) {
      const mail = newMail(id, clock.nowMs, more);
      await spool.arrive(mail, parcel(more.content ?? Buffer.from(`Subject: ${id}\r\n\r\n${id}\r\n`)));
      await spool.confirm(mail);
      return mail;
    },
    due: (more = {}) => spool.take({ nowMs: clock.nowMs, max: 1_000, room: () => 1_000, ...more }),
  };
}

export const parcel = (whole: Buffer) => ({
  front: Buffer.from("Received: here\r\n"),
  bytes: whole.length + 16,
  whole,
  changes: { fields: [], additions: [] },
  async *read() {
    yield whole;
  },
});

export function newMail(id: string, nowMs: number, more: MailOptions = {}): NewMail {
  const to = more.to ?? ["b@one.example"];
  const recipients = to.map((text) => waiting(text, more.nextAt ?? nowMs));
  const lateAt = more.hold?.until ?? nowMs + DAY_MS;
  return {
    id,
    arrivedAt: nowMs,
    expiresAt: nowMs + 5 * DAY_MS,
    session: {
      id: "s",
      door: "smtp",
      role: "mx",
      clientIp: "192.0.2.1",
      clientPort: 1,
      serverIp: "192.0.2.2",
      serverPort: 25,
      inRelayNetworks: false,
      ...(more.client !== undefined && { clientId: more.client }),
    },
    sender: { address: address("a@shop.example"), eightBit: false, smtpUtf8: false, requireTls: false },
    bytes: more.content?.length ?? 40,
    recipients,
    destinations: more.destinations ?? recipients.map(({ recipient }) => recipient.address.domain),
    lateAt,
    ...(more.hold && { hold: more.hold }),
  };
}

function address(text: string) {
  const found = parseAddress(text);
  if (!found) throw new Error(`no address: ${text}`);
  return found;
}

const waiting = (text: string, nextAt: number): QueuedRecipient => ({
  recipient: { address: address(text) },
  state: "waiting",
  attempts: 0,
  nextAt,
});

/** Settles a lease the same way for everybody who was due. */
export function settleAll(
  { mail, ...lease }: Lease,
  end: { state: QueuedRecipient["state"]; nextAt?: number; isTold?: boolean; destination?: string },
) {
  const changes = new Map(
    lease.due.map((place) => {
      const before = mail.recipients[place] as QueuedRecipient;
      const recipient = {
        ...before,
        attempts: before.attempts + 1,
        state: end.state,
        nextAt: end.nextAt ?? before.nextAt,
      };
      const destination = end.destination ?? before.recipient.address.domain;
      return [place, { recipient, destination, isTold: end.isTold ?? true }] as const;
    }),
  );
  return { lease: { mail, ...lease }, changes, reports: [] };
}
