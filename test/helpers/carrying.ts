import { configSchema } from "../../src/config/schema.ts";
import { type CarrierGround, openCarrier } from "../../src/delivery/carrier/open.ts";
import type { Parcel } from "../../src/delivery/next-hop.ts";
import { parcelOf } from "../../src/delivery/parcel.ts";
import type { Attempt, Carrier, QueuedMail } from "../../src/delivery/queue/queued.ts";
import { createLog } from "../../src/kit/log.ts";
import type { Recipient, Sender } from "../../src/mail/views.ts";
import { contentOf, recipientOf, senderOf, sessionOf } from "./letters.ts";
import { namesOf } from "./names.ts";

/** Tests of what carries queued mail. */
export interface Carrying {
  readonly carrier: Carrier;
  /** Sends one mail to these recipients, all of one destination. */
  send(to: string | readonly (string | Recipient)[], more?: Sent): Promise<readonly Attempt[]>;
}

export interface Sent {
  readonly sender?: Partial<Sender>;
  readonly from?: string | null;
  readonly text?: Buffer | string;
  readonly clientId?: string;
  /** As if it lay on disk, in pieces of so many bytes. */
  readonly pieceBytes?: number;
}

export function carrying(config: object, zone: readonly string[] = [], ground: Partial<CarrierGround> = {}): Carrying {
  const settings = configSchema.parse({ hostname: "relay.example", dns: { servers: ["127.0.0.1:53"] }, ...config });
  const carrier = openCarrier(settings, { names: namesOf(zone), log: createLog("silent"), ...ground });
  return {
    carrier,
    async send(to, more = {}) {
      const recipients = [to].flat().map((each) => (typeof each === "string" ? recipientOf(each) : each));
      return carrier.attempt(queuedMail(recipients, more), recipients, parcelFor(more));
    },
  };
}

const parcelFor = ({ text = "Subject: x\r\n\r\nhello\r\n", pieceBytes }: Sent): Parcel =>
  parcelOf(contentOf(text, pieceBytes), Buffer.from("Received: by relay.example\r\n"), []);

export function queuedMail(
  recipients: readonly Recipient[],
  { sender, from = "a@a.example", clientId }: Sent = {},
): QueuedMail {
  return {
    id: "01MAIL",
    arrivedAt: 1_700_000_000_000,
    expiresAt: 1_700_432_000_000,
    session: { ...sessionOf(), ...(clientId !== undefined && { clientId }) },
    sender: senderOf(from, sender),
    bytes: 100,
    recipients: recipients.map((recipient) => ({ recipient, state: "waiting", attempts: 0, nextAt: 0 })),
  };
}

/** "later destination 451 4.4.1" */
export const meant = ({ kind, scope, reply }: Attempt): string => `${kind} ${scope} ${reply.code} ${reply.enhanced}`;
