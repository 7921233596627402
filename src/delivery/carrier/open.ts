import type { Config } from "../../config/schema.ts";
import { type Clock, systemClock } from "../../kit/clock.ts";
import { ipRanges, isNearbyIp } from "../../kit/ip.ts";
import type { Log } from "../../kit/log.ts";
import type { Names } from "../../kit/names.ts";
import type { Tables } from "../../kit/store.ts";
import { Misuse } from "../../kit/trouble.ts";
import { domainList } from "../../mail/domains.ts";
import { createFinder } from "../mx/hosts.ts";
import { ownPlaces } from "../mx/own.ts";
import { createPolicies, NO_POLICIES, type Policies } from "../mx/sts.ts";
import { stsFetch } from "../mx/sts-fetch.ts";
import { stsShelf } from "../mx/sts-shelf.ts";
import { credentialsOf, nextHopOf, serverOf, trust } from "../open.ts";
import type { Carrier } from "../queue/queued.ts";
import { createCarrier } from "./carrier.ts";
import { createPlaces } from "./places.ts";
import { createPools } from "./pools.ts";
import type { Route, Way } from "./routes.ts";

export interface CarrierGround {
  /** DNS, for what goes by MX. */
  readonly names: Names;
  readonly log: Log;
  readonly clock?: Clock;
  /** Keeps policies beyond this process. */
  readonly tables?: Tables;
  /** For tests: else they are fetched from domains' web servers. */
  readonly policies?: Policies;
  egressOf?(clientId: string): readonly string[] | undefined;
}

/** An address that nobody answered at goes to the end of its list for so long. */
const AWAY_MS = 300_000;

const ATTEMPT_SHARE = 0.95;

/** The carrier of a configuration; nothing is connected yet. @throws Misuse */
export function openCarrier(config: Config, ground: CarrierGround): Carrier {
  const { queue, nextHop, hostname } = config;
  const { clock = systemClock, log, names, egressOf } = ground;
  const routes = [...config.routes.map((_, index) => routeAt(config, index)), commonRoute(config)];
  const byMx = routes.find(({ to }) => to.kind === "mx");
  if (byMx && config.dns.servers.length === 0) {
    throw new Misuse("mx: needs DNS", ["name the servers to ask in dns.servers, or `system`"]);
  }
  const nearby = ipRanges(queue.mxNetworks);
  const mayCall = (ip: string): boolean => !isNearbyIp(ip) || nearby.has(ip);
  const policies = ground.policies ?? (queue.mtaSts && byMx ? policiesOf({ ...ground, clock, mayCall }) : NO_POLICIES);
  const find = createFinder({
    names,
    isOurs: ownPlaces({
      names: [hostname],
      listens: listensOf(config),
      port: byMx?.to.kind === "mx" ? byMx.to.port : MX_PORT,
    }),
    mayCall,
    hostsMax: queue.mxHostsMax,
    addressesMax: queue.mxAddressesMax,
  });
  const secureContext = trust(nextHop.caFile);
  const { connectionsMax, sessionsPerAttemptMax, recipientsPerMailMax, eightBitAnyway, slowMs, timeouts } = queue;
  const { idleMs, mailsPerConnectionMax } = nextHop;
  return createCarrier({
    routes,
    // Over before whoever asked gives up, so that no attempt is under way twice.
    waits: { ...timeouts, attemptMs: queue.attemptMaxMs * ATTEMPT_SHARE },
    clock,
    log,
    slowMs,
    pools: createPools({ connectionsMax, idleMs, mailsPerConnectionMax }),
    places: createPlaces({ hostname, find, policies, secureContext, clock, awayMs: AWAY_MS }),
    sessionsMax: sessionsPerAttemptMax,
    recipientsPerMailMax,
    eightBitAnyway,
    ...(egressOf && { egressOf }),
  });
}

const MX_PORT = 25;
const STS_MS_MAX = 20_000;
/** RFC 8461 3.2. */
const STS_BYTES_MAX = 65_536;

function policiesOf({
  names,
  log,
  clock,
  tables,
  mayCall,
}: CarrierGround & { clock: Clock; mayCall(ip: string): boolean }): Policies {
  const fetch = stsFetch({ names, mayCall, timeoutMs: STS_MS_MAX, bytesMax: STS_BYTES_MAX });
  const onTrouble = (domain: string): void => log.warn({ domain }, "an MTA-STS policy is announced and cannot be had");
  const shelf = tables && stsShelf(tables, clock);
  shelf?.tidy().catch((error: unknown) => log.error({ err: error }, "old MTA-STS policies could not be removed"));
  return createPolicies({ names, clock, fetch, onTrouble, ...(shelf && { shelf }) });
}

/** Where we take mail ourselves. */
const listensOf = ({ listeners }: Config): { host: string; port: number }[] =>
  listeners.flatMap(({ door, listen }) => (door === "smtp" && "host" in listen ? [listen] : []));

/** What no entry of `routes` is for. */
function commonRoute(config: Config): Route {
  const { queue, nextHop } = config;
  return { label: "", to: wayTo(nextHop.to, config), tls: nextHop.tls, egress: [], ...widthOf(queue) };
}

function routeAt(config: Config, index: number): Route {
  const entry = config.routes[index];
  if (!entry) throw new Error(`there is no route ${index}`);
  const { queue, nextHop } = config;
  const { domains, clients, egress, tls = nextHop.tls, connectionsMax, mailsPerMinute } = entry;
  return {
    label: egress.join(","),
    ...(domains && { domains: domainList(domains) }),
    ...(clients && { clients: new Set(clients) }),
    to: wayTo(entry.to ?? nextHop.to, config, entry),
    tls,
    egress,
    ...widthOf(queue),
    ...(connectionsMax !== undefined && { connectionsMax }),
    ...(mailsPerMinute !== undefined && { mailsPerMinute }),
  };
}

const widthOf = ({ connectionsPerDestinationMax, mailsPerMinutePerDestination }: Config["queue"]) => ({
  connectionsMax: connectionsPerDestinationMax,
  ...(mailsPerMinutePerDestination !== undefined && { mailsPerMinute: mailsPerMinutePerDestination }),
});

/** @param entry whose TLS, certificates and login are meant, where it has any; else those of nextHop */
function wayTo(to: string, config: Config, entry?: Config["routes"][number]): Way {
  const { nextHop, hostname } = config;
  if (/^mx:/i.test(to)) return { kind: "mx", port: portOf(to.slice(3)) };
  if (/^maildir:/i.test(to)) return { kind: "hop", hop: nextHopOf({ ...config, nextHop: { ...nextHop, to } }) };
  const { user, passwordFile, caFile } = entry?.to === undefined ? nextHop : entry;
  const server = serverOf(to, {
    hostname,
    tls: entry?.tls ?? nextHop.tls,
    ...(caFile !== undefined && { caFile }),
    ...credentialsOf(user, passwordFile),
  });
  return { kind: "server", server };
}

function portOf(text: string): number {
  const port = text === "" ? MX_PORT : Number(text);
  if (port < 1 || port > 65_535) throw new Misuse(`mx:${text}`, ["mx: alone means port 25; mx:2525 another one"]);
  return port;
}
