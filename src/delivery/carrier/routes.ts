import { createHash } from "node:crypto";
import { isIPv6 } from "node:net";
import type { DomainList } from "../../mail/domains.ts";
import type { NextHop } from "../next-hop.ts";
import type { Server, TlsUse } from "../smtp/greet.ts";

/** How mail leaves for some domains or clients. */
export interface Route {
  /** Names it in destinations: "" for the common one. */
  readonly label: string;
  /** Recipients' domains it is for; absent: all. */
  readonly domains?: DomainList;
  /** Clients it is for; absent: all. */
  readonly clients?: ReadonlySet<string>;
  readonly to: Way;
  /** TLS towards hosts that MX records name. */
  readonly tls: TlsUse;
  /** Addresses of ours that mail leaves from; empty: the system chooses. */
  readonly egress: readonly string[];
  /** Most mails at a time to one destination. */
  readonly connectionsMax: number;
  /** Most mails a minute to one destination. */
  readonly mailsPerMinute?: number;
}

export type Way =
  /** To the domain's own servers. */
  | { readonly kind: "mx"; readonly port: number }
  /** To a smart host. */
  | { readonly kind: "server"; readonly server: Server }
  /** Into something that is no server: a Maildir. */
  | { readonly kind: "hop"; readonly hop: NextHop };

/** The first route that is for this client and this domain; the last one is for everybody. */
export function routeOf(routes: readonly Route[], clientId: string | undefined, domain: string): Route {
  const found = routes.find(
    ({ domains, clients }) =>
      (domains === undefined || domains.has(domain)) &&
      (clients === undefined || (clientId !== undefined && clients.has(clientId))),
  );
  if (!found) throw new Error("no route is for everybody");
  return found;
}

/** What shares connections, rate and back-off: a domain by MX, or a smart host; apart where a route has its own addresses. */
export function destinationOf(route: Route, domain: string): string {
  const { to, label } = route;
  const name = to.kind === "mx" ? domain : to.kind === "server" ? to.server.name : to.hop.name;
  return label === "" ? name : `${name} via ${label}`;
}

/**
 * The address to leave from towards a server: of its family, always the same one for a destination, so that connections are
 * reused and greylists know us.
 * @returns undefined: whatever the system chooses; null: none of ours can reach it
 */
export function egressFor(addresses: readonly string[], destination: string, ip: string): string | undefined | null {
  if (addresses.length === 0) return undefined;
  const family = addresses.filter((address) => isIPv6(address) === isIPv6(ip));
  if (family.length === 0) return null;
  return family[createHash("sha256").update(destination).digest().readUInt32BE(0) % family.length];
}
