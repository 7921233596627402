import { networkInterfaces } from "node:os";
import { canonicalIp } from "../../kit/ip.ts";

export interface OwnPlaces {
  /** Our names, any case. */
  readonly names: readonly string[];
  /** Where we listen for mail. */
  readonly listens: readonly { readonly host: string; readonly port: number }[];
  /** The port that servers are called at. */
  readonly port: number;
}

/**
 * Tells whether a server is we ourselves: it bears our name, or its address is one where we listen at the port that would be
 * called. A neighbour on the same machine, at another port, is none.
 */
export function ownPlaces({ names, listens, port }: OwnPlaces): (host: { name: string; ip?: string }) => boolean {
  const own = new Set(names.map((name) => name.toLowerCase()));
  const called = listens.filter((each) => each.port === port).map(({ host }) => host);
  const everywhere = called.some((host) => host === "0.0.0.0" || host === "::");
  const local = everywhere ? Object.values(networkInterfaces()).flatMap((each) => each ?? []) : [];
  const ips = new Set([...called, ...local.map(({ address }) => address)].flatMap((ip) => canonicalIp(ip) ?? []));
  return ({ name, ip }) => own.has(name.toLowerCase()) || (ip !== undefined && ips.has(canonicalIp(ip) ?? ip));
}
