/**
 * Which servers take a domain's mail (RFC 5321 5.1): MX in order of preference, equal ones shuffled, the domain itself where
 * there is no MX, nothing behind our own name, IPv6 and IPv4 in turn. Everything asked is bounded.
 */
import { isIP } from "node:net";
import type { Exchange, Names } from "../../kit/names.ts";
import { Unavailable } from "../../kit/trouble.ts";
import type { OwnWord } from "../queue/own-words.ts";

/** One address to call. */
export interface MailHost {
  /** As the MX record names it; for an address literal, the address. */
  readonly name: string;
  readonly ip: string;
  readonly preference: number;
}

/** Where to go, in the order to try; or why nobody need to try, in our own words. */
export type Found = { readonly hosts: readonly MailHost[] } | { readonly none: OwnWord };

export interface FinderOptions {
  readonly names: Names;
  /** Is this server we ourselves? Then mail must not go there, nor to any that is not preferred to it. */
  isOurs(host: { readonly name: string; readonly ip?: string }): boolean;
  /** May an MX lie at this address? Those of the neighbourhood are closed to strangers' records by default. */
  mayCall(ip: string): boolean;
  /** At most so many hosts of a domain are looked up. */
  readonly hostsMax: number;
  /** At most so many addresses are given back. */
  readonly addressesMax: number;
  /** 0 ≤ random() < 1; absent: Math.random. */
  random?(): number;
}

export type Finder = (domain: string) => Promise<Found>;

/** @returns a finder; it throws nothing but bugs: silence of DNS is `dns-away` */
export function createFinder(options: FinderOptions): Finder {
  return async (domain) => {
    try {
      return domain.startsWith("[") ? literal(domain, options) : await find(domain, options);
    } catch (error) {
      if (error instanceof Unavailable) return { none: "dns-away" };
      throw error;
    }
  };
}

/** RFC 5321 4.1.3: "[192.0.2.1]" and "[IPv6:2001:db8::1]" name one host. */
function literal(domain: string, options: FinderOptions): Found {
  const ip = domain.slice(1, -1).replace(/^IPv6:/i, "");
  if (isIP(ip) === 0 || !options.mayCall(ip)) return { none: "no-address" };
  if (options.isOurs({ name: domain, ip })) return { none: "own-mx" };
  return { hosts: [{ name: ip, ip, preference: 0 }] };
}

async function find(domain: string, options: FinderOptions): Promise<Found> {
  const { records, exists } = await options.names.ask(domain, "MX");
  if (!exists) return { none: "no-domain" };
  // RFC 7505: one record, preference whatever, and no host.
  if (records.length > 0 && records.every(({ host }) => host === "")) return { none: "null-mx" };
  const exchanges =
    records.length > 0 ? inOrder(records, options.random ?? Math.random) : [{ preference: 0, host: domain }];
  const [first, ...others] = exchanges.filter(({ host }) => host !== "" && isIP(host) === 0).slice(0, options.hostsMax);
  if (!first) return { none: "no-address" };
  const looked = await Promise.all([first, ...others].map((exchange) => lookUp(exchange, options)));
  return sortOut(looked, options);
}

interface Looked extends Exchange {
  readonly ips: readonly string[];
  /** DNS was silent about it. */
  readonly isUnknown: boolean;
}

async function lookUp(exchange: Exchange, { names }: FinderOptions): Promise<Looked> {
  const said = await Promise.allSettled([names.ask(exchange.host, "AAAA"), names.ask(exchange.host, "A")]);
  const ips = said.map((each) => (each.status === "fulfilled" ? each.value.records : []));
  const isUnknown = said.some((each) => each.status === "rejected");
  return { ...exchange, ips: inTurn(ips[0] ?? [], ips[1] ?? []), isUnknown };
}

/** v6, v4, v6, v4 …: one family that is broken here costs one attempt, not all of them. */
function inTurn(a: readonly string[], b: readonly string[]): string[] {
  return Array.from({ length: Math.max(a.length, b.length) }, (_, i) =>
    [a[i], b[i]].filter((ip) => ip !== undefined),
  ).flat();
}

function sortOut(looked: readonly Looked[], options: FinderOptions): Found {
  const own = looked.filter(({ host, ips }) =>
    [undefined, ...ips].some((ip) => options.isOurs({ name: host, ...(ip && { ip }) })),
  );
  const limit = Math.min(...own.map(({ preference }) => preference));
  const usable = looked.filter(({ preference }) => preference < limit);
  if (usable.length === 0) return { none: "own-mx" };
  const hosts = usable.flatMap(({ host, preference, ips }) =>
    ips.filter(options.mayCall).map((ip) => ({ name: host, ip, preference })),
  );
  if (hosts.length > 0) return { hosts: hosts.slice(0, options.addressesMax) };
  return { none: usable.some(({ isUnknown }) => isUnknown) ? "dns-away" : "no-address" };
}

/** By preference; equal ones in an order of chance, so that they share the load (RFC 5321 5.1). */
function inOrder(records: readonly Exchange[], random: () => number): Exchange[] {
  return records
    .map((record) => ({ record, chance: random() }))
    .sort((a, b) => a.record.preference - b.record.preference || a.chance - b.chance)
    .map(({ record }) => record);
}
