/** What is due with customers: permits that end, addresses that may not be used yet or end, declarations that are over. For doctor and the log. */
import type { Clock } from "../kit/clock.ts";
import type { Log } from "../kit/log.ts";
import type { Pack } from "../law/pack.ts";
import type { Client } from "../mail/client.ts";
import type { ClientRegister } from "./clients.ts";
import { longestWait, stateOf, usableFromMs, usableUntilMs } from "./sending-addresses.ts";

/** One thing somebody should know of a client. */
export interface Due {
  readonly client: string;
  /** "its permit ends on 2026-12-31". */
  readonly what: string;
  /** What to do. */
  readonly advice: string;
}

const DAY_MS = 86_400_000;
const AHEAD_DAYS = 30;
const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/** @param packs those the client writes under */
export function dueOf(client: Client, packs: readonly Pack[], nowMs: number): Due[] {
  if (client.disabled) return [];
  return [...licenceDue(client, packs, nowMs), ...addressDue(client, packs, nowMs), ...campaignDue(client, nowMs)];
}

function licenceDue({ id, kind, licence, licensedUntil }: Client, packs: readonly Pack[], nowMs: number): Due[] {
  const needed = packs.find((pack) => pack.licence?.kinds.includes(kind))?.licence;
  const advice = `consentry client set ${id} --licence NUMBER --licensed-on DAY`;
  if (needed && !licence?.trim()) {
    return [{ client: id, what: `${kind} without a permit or filing number (${needed.source.cite})`, advice }];
  }
  if (licensedUntil === undefined || Date.parse(licensedUntil) - nowMs > AHEAD_DAYS * DAY_MS) return [];
  return [{ client: id, what: `its permit ends on ${licensedUntil}`, advice: `${advice} --licensed-until DAY` }];
}

function addressDue({ id, kind, addresses = [] }: Client, packs: readonly Pack[], nowMs: number): Due[] {
  const laws = packs.flatMap((pack) => pack.addresses ?? []);
  const days = longestWait(laws);
  const needed = laws.find((law) => law.kinds.includes(kind));
  const missing = needed && !addresses.some(({ use }) => use === "source");
  const add = `consentry client address add ${id} NETWORK --authority WHO`;
  return [
    ...(missing
      ? [{ client: id, what: `${kind} without registered addresses (${needed.source.cite})`, advice: add }]
      : []),
    ...addresses.flatMap((address): Due[] => {
      const { network } = address;
      const endsMs = usableUntilMs(address);
      const state = stateOf(address, days, nowMs);
      if (state === "not-yet") {
        const from = dayOf(usableFromMs(address, days));
        return [
          {
            client: id,
            what: `${network} may not be used before ${from}`,
            advice: "nothing: it is accepted from then on",
          },
        ];
      }
      if (state === "over") {
        const gone = `consentry client address remove ${id} ${network}`;
        return [{ client: id, what: `${network} ended on ${address.endsOn}`, advice: gone }];
      }
      if (endsMs === undefined || endsMs - nowMs > (AHEAD_DAYS + 1) * DAY_MS) return [];
      const advice = `a change is reported ${days.changeDays} days ahead: ${add}`;
      return [{ client: id, what: `${network} ends on ${address.endsOn}`, advice }];
    }),
  ];
}

const campaignDue = ({ id, campaigns = [] }: Client, nowMs: number): Due[] =>
  campaigns.length > 0 && campaigns.every(({ untilMs }) => untilMs <= nowMs)
    ? [
        {
          client: id,
          what: "every campaign it declared is over, so all its mail is refused",
          advice: `consentry client campaign remove ${id} NAME, or declare another`,
        },
      ]
    : [];

/** What the service's log tells once a day. */
export async function warnOfClients(
  clients: Pick<ClientRegister, "list">,
  { clock, log, under }: { clock: Clock; log: Log; under: (session: { client: Client }) => readonly Pack[] },
): Promise<void> {
  try {
    for (const client of await clients.list()) {
      for (const { what, advice } of dueOf(client, under({ client }), clock.now())) {
        log.warn({ client: client.id, advice }, what);
      }
    }
  } catch (error) {
    log.warn({ err: error }, "clients could not be looked through");
  }
}
