/** Addresses that an authority knows as a client's (China art. 6): from when until when each may be used, and which may be used now. */
import { type IpRanges, ipRanges } from "../kit/ip.ts";
import type { Client, SendingAddress } from "../mail/client.ts";

/** Days that a law lets pass between the report and the use. */
export interface AddressDays {
  /** Of a first registration. */
  readonly usableAfterDays: number;
  /** Of a change to one that stands. */
  readonly changeDays: number;
}

/** Where no law names days, an address may be used from the day it is registered. */
export const NO_WAIT: AddressDays = { usableAfterDays: 0, changeDays: 0 };

const DAY_MS = 86_400_000;

/** The first moment it may be used, ms since 1970, UTC. */
export const usableFromMs = ({ registeredOn, change }: SendingAddress, days: AddressDays): number =>
  Date.parse(registeredOn) + (change ? days.changeDays : days.usableAfterDays) * DAY_MS;

/** The first moment it may no longer be used; undefined: no end was reported. */
export const usableUntilMs = ({ endsOn }: SendingAddress): number | undefined =>
  endsOn === undefined ? undefined : Date.parse(endsOn) + DAY_MS;

export type AddressState = "usable" | "not-yet" | "over";

export function stateOf(address: SendingAddress, days: AddressDays, nowMs: number): AddressState {
  if (nowMs >= (usableUntilMs(address) ?? Number.POSITIVE_INFINITY)) return "over";
  return nowMs < usableFromMs(address, days) ? "not-yet" : "usable";
}

/**
 * The addresses by which mail of a client may leave now. Deliveries bind to one of them and to no other.
 *
 * @returns undefined: none was ever registered, and the relay's own are used; empty: some are, and none may be used now, so that the mail
 * waits
 */
export function egressOf(client: Client, nowMs: number, days: AddressDays = NO_WAIT): readonly string[] | undefined {
  const own = client.addresses?.filter(({ use }) => use === "egress") ?? [];
  if (own.length === 0) return undefined;
  return own.flatMap((address) => (stateOf(address, days, nowMs) === "usable" ? [address.network] : []));
}

const compiled = new WeakMap<SendingAddress, IpRanges>();

/** Does this registered address, or range, hold that one? */
export function holds(address: SendingAddress, ip: string): boolean {
  let ranges = compiled.get(address);
  if (!ranges) {
    ranges = ipRanges([address.network]);
    compiled.set(address, ranges);
  }
  return ranges.has(ip);
}

/** The longest waits of these laws; what none of them names is no wait. */
export const longestWait = (laws: readonly (AddressDays | undefined)[]): AddressDays => ({
  usableAfterDays: Math.max(0, ...laws.map((law) => law?.usableAfterDays ?? 0)),
  changeDays: Math.max(0, ...laws.map((law) => law?.changeDays ?? 0)),
});
