/**
 * What is asked of a customer's mail before each attempt: whether the customer may send now, by which registered addresses its mail leaves
 * (Order 38 art. 6), and of advertising what ad-gate.ts asks.
 */
import type { Clock } from "../kit/clock.ts";
import { createRecent } from "../kit/recent.ts";
import type { PackChoice } from "../law/choice.ts";
import { type Client, isAdSender } from "../mail/client.ts";
import { writeReply } from "../mail/replies.ts";
import type { ClientReader } from "../registers/clients.ts";
import { egressOf, longestWait } from "../registers/sending-addresses.ts";
import { type AdGate, type AdGateParts, createAdGate } from "./ad-gate.ts";
import type { Gate, Permission } from "./queue/queued.ts";

export interface CustomerGateParts {
  readonly clients: Pick<ClientReader, "byId">;
  readonly clock: Clock;
  /** What is in force now. */
  readonly law: () => { readonly choice: PackChoice };
  readonly ads: AdGate;
}

export interface CustomerGate extends Gate {
  /**
   * The addresses by which this client's mail may leave, as they were found when it was asked last.
   * @returns undefined: none was registered, the relay's own are used
   */
  egressOf(clientId: string): readonly string[] | undefined;
}

/** The whole of it, on a house's registers. */
export function openCustomerGate(
  parts: Omit<AdGateParts, "law"> & Pick<CustomerGateParts, "clients"> & { readonly law: () => Law },
): CustomerGate {
  return createCustomerGate({ ...parts, ads: createAdGate(parts) });
}
type Law = ReturnType<AdGateParts["law"]>;

/** How old an answer of the register may be. */
const BELIEVED_MS = 3_000;
const KNOWN_MAX = 10_000;
/** A client that is gone or disabled may come back; an address may become usable any day. */
const AWAY_MS = 3_600_000;

interface Known {
  readonly client: Client | undefined;
  readonly egress: readonly string[] | undefined;
}

const GO: Permission = Object.freeze({ kind: "go" });

export function createCustomerGate({ clients, clock, law, ads }: CustomerGateParts): CustomerGate {
  const recent = createRecent<Known>(KNOWN_MAX);
  /** Attempts that are under way need an answer also when it has grown old. */
  const lasting = createRecent<Known>(KNOWN_MAX);
  const find = async (id: string): Promise<Known> => {
    const known = recent.get(id, clock.now());
    if (known) return known;
    const client = await clients.byId(id);
    const days =
      client &&
      longestWait(
        law()
          .choice.under({ client })
          .map(({ addresses }) => addresses),
      );
    const found: Known = { client, egress: client && egressOf(client, clock.now(), days) };
    recent.set(id, found, clock.now() + BELIEVED_MS);
    lasting.set(id, found, Number.POSITIVE_INFINITY);
    return found;
  };
  return {
    egressOf: (id) => lasting.get(id, clock.now())?.egress,
    async mayGo(mail, recipients) {
      const id = mail.session.clientId;
      if (id === undefined || mail.isReport) return recipients.map(() => GO);
      const found = await find(id);
      const obstacle = obstacleOf(found, mail.advertiser !== undefined, clock.now());
      if (obstacle) return recipients.map(() => obstacle);
      const { client } = found;
      if (!client || !isAdSender(client) || mail.advertiser === undefined) return recipients.map(() => GO);
      return ads.mayGo(mail, recipients, client);
    },
    ended: ads.ended,
  };
}

/** Mail that a client which is gone since had been promised delivery for goes on, but for advertising. */
function obstacleOf({ client, egress }: Known, isAd: boolean, nowMs: number): Permission | undefined {
  if (!client)
    return isAd ? { kind: "wait", untilMs: nowMs + AWAY_MS, reply: writeReply("client-suspended") } : undefined;
  const { suspended } = client;
  if (suspended && suspended.untilMs > nowMs) {
    return wait(suspended.untilMs, "client-suspended", suspended.reason);
  }
  if (egress?.length !== 0) return undefined;
  return wait(nowMs + AWAY_MS, "address-unregistered", "none of those it leaves by may be used yet");
}

const wait = (untilMs: number, reply: "client-suspended" | "address-unregistered", detail: string): Permission => ({
  kind: "wait",
  untilMs,
  reply: { ...writeReply(reply, { detail }), code: 450, enhanced: "4.7.1" },
});
