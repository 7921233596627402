import { getServers } from "node:dns";
import type { Config } from "../config/schema.ts";
import type { Clock } from "../kit/clock.ts";
import { createResolver, type Resolver, type ResolverOptions } from "./resolver.ts";
import type { ServerAddress } from "./server.ts";

/** The resolver that a configuration asks for; undefined where it names no server. */
export function openNames(
  dns: Config["dns"],
  clock: Clock,
  onAsked?: ResolverOptions["onAsked"],
): Resolver | undefined {
  const servers = dns.servers.flatMap((server) => (server === "system" ? systemServers() : [server]));
  if (servers.length === 0) return undefined;
  const { timeoutMs, questionsPerMailMax, waitPerMailMs, cacheEntriesMax, cacheBytesMax } = dns;
  const { ttlMaxMs, negativeTtlMaxMs, failureTtlMs } = dns;
  return createResolver(
    {
      servers,
      timeoutMs,
      budget: { questionsMax: questionsPerMailMax, waitMs: waitPerMailMs },
      cache: { entriesMax: cacheEntriesMax, bytesMax: cacheBytesMax, ttlMaxMs, negativeTtlMaxMs, failureTtlMs },
      ...(onAsked && { onAsked }),
    },
    clock,
  );
}

/** What /etc/resolv.conf or its like names: "192.0.2.53", "192.0.2.53:5353" or "[2001:db8::53]:5353". */
const systemServers = (): ServerAddress[] =>
  getServers().map((text) => {
    const withPort = /^(?:\[(.+)\]|([0-9.]+)):(\d+)$/.exec(text);
    return { host: withPort?.[1] ?? withPort?.[2] ?? text, port: Number(withPort?.[3] ?? 53) };
  });
