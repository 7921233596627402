/**
 * Whom one attempt may call, in which order and on which terms: the hosts of a domain, what its MTA-STS policy and the mail's
 * own REQUIRETLS ask for, and from which of our addresses.
 */
import type { SecureContext } from "node:tls";
import type { Clock } from "../../kit/clock.ts";
import { createRecent, type Recent } from "../../kit/recent.ts";
import type { Finder, MailHost } from "../mx/hosts.ts";
import type { Policies } from "../mx/sts.ts";
import { isNamed } from "../mx/sts-policy.ts";
import type { OwnWord } from "../queue/own-words.ts";
import type { Server, TlsUse } from "../smtp/greet.ts";
import { egressFor, type Route } from "./routes.ts";

/** One server to call. */
export interface Place {
  readonly server: Server;
  /** Name as it may stand in a report. */
  readonly name: string;
  /** After a TLS handshake that failed, clear text will do (RFC 7435). */
  readonly mayFallBack: boolean;
  /** A server of our own house, which may be told who really sent a mail. */
  readonly isOwn: boolean;
}

export interface Errand {
  readonly route: Route;
  readonly domain: string;
  readonly destination: string;
  readonly requireTls: boolean;
  /** Replaces the route's addresses where the client has its own. */
  readonly egress: readonly string[];
}

export interface PlacesOptions {
  readonly hostname: string;
  readonly find: Finder;
  readonly policies: Policies;
  readonly secureContext: SecureContext;
  readonly clock: Clock;
  /** An address that did not answer goes to the end of the list for so long. */
  readonly awayMs: number;
}

export interface Places {
  /** @returns places, or why there are none */
  of(errand: Errand): Promise<readonly Place[] | OwnWord>;
  /** Nobody answered there. */
  wasAway(place: Place): void;
  /** TLS does not work there. */
  hadNoTls(place: Place): void;
}

const KEPT_MAX = 10_000;

export function createPlaces(options: PlacesOptions): Places {
  const away = createRecent<true>(KEPT_MAX);
  const noTls = createRecent<true>(KEPT_MAX);
  const mark = (list: Recent<true>, { server }: Place): void => {
    list.set(addressOf(server), true, options.clock.now() + options.awayMs);
  };
  return {
    async of(errand) {
      const { to } = errand.route;
      if (to.kind === "server") return smartHost(to.server, errand);
      if (to.kind === "hop") throw new Error("a place was asked for where there is no server");
      const places = await hostsOf(errand, to.port, options);
      if (typeof places === "string") return places;
      const now = options.clock.now();
      const is = (list: Recent<true>, place: Place): boolean => list.get(addressOf(place.server), now) === true;
      const plain = places.map((place) => (place.mayFallBack && is(noTls, place) ? withoutTls(place) : place));
      return [...plain.filter((place) => !is(away, place)), ...plain.filter((place) => is(away, place))];
    },
    wasAway: (place) => mark(away, place),
    hadNoTls: (place) => mark(noTls, place),
  };
}

const addressOf = ({ endpoint }: Server): string =>
  "path" in endpoint ? endpoint.path : `${endpoint.host} ${endpoint.port}`;

/** The same place in clear text. */
export const withoutTls = (place: Place): Place => ({
  ...place,
  mayFallBack: false,
  server: { ...place.server, tls: "never" },
});

/** A smart host is named by the operator: its name needs no proof, and REQUIRETLS only asks for a certificate that holds. */
function smartHost(server: Server, { requireTls, egress, destination }: Errand): Place[] | OwnWord {
  const tls: TlsUse = requireTls ? "require" : server.tls;
  const { endpoint } = server;
  const from = "host" in endpoint ? egressFor(egress, destination, endpoint.host) : undefined;
  if (from === null) return "no-egress";
  const place = { name: "host" in endpoint ? endpoint.host : server.name, mayFallBack: tls === "opportunistic" };
  if (from === undefined && tls === server.tls) return [{ ...place, isOwn: true, server }];
  const called = from === undefined ? endpoint : { ...endpoint, localAddress: from };
  return [{ ...place, isOwn: true, server: { ...server, tls, endpoint: called } }];
}

async function hostsOf(errand: Errand, port: number, options: PlacesOptions): Promise<Place[] | OwnWord> {
  const [found, policy] = await Promise.all([options.find(errand.domain), options.policies.of(errand.domain)]);
  if ("none" in found) return found.none;
  // RFC 8689 4.2.1: the name of the server must be proven; without DNSSEC only MTA-STS does that.
  if (errand.requireTls && (!policy || policy.mode === "none")) return "requiretls-mx";
  const binds = policy !== undefined && (policy.mode === "enforce" || errand.requireTls);
  const named = binds ? found.hosts.filter(({ name }) => isNamed(policy, name)) : found.hosts;
  if (named.length === 0) return "sts-host";
  const tls: TlsUse = binds ? "require" : errand.route.tls;
  const places = named.flatMap((host) => placeOf(host, { ...errand, tls, port }, options) ?? []);
  return places.length > 0 ? places : "no-egress";
}

function placeOf(
  host: MailHost,
  { egress, destination, tls, port }: Errand & { tls: TlsUse; port: number },
  { hostname, secureContext }: PlacesOptions,
): Place | undefined {
  const from = egressFor(egress, destination, host.ip);
  if (from === null) return undefined;
  const endpoint = { host: host.ip, port, ...(from !== undefined && { localAddress: from }) };
  const server: Server = {
    name: `smtp://${host.name}:${port}`,
    endpoint,
    lmtp: false,
    implicitTls: false,
    tls,
    tlsName: host.name,
    secureContext,
    hostname,
  };
  return { server, name: host.name, mayFallBack: tls === "opportunistic", isOwn: false };
}
