/** Reads the Redis forms of `store.url`. Passwords go nowhere but into the connection. */
import { Misuse } from "../../kit/trouble.ts";

export interface RedisHost {
  readonly host: string;
  readonly port: number;
}

export interface RedisAddress {
  readonly kind: "single" | "sentinel" | "cluster";
  readonly tls: boolean;
  /** One server, the Sentinels, or some nodes of the Cluster. */
  readonly hosts: readonly RedisHost[];
  readonly username?: string;
  readonly password?: string;
  /** Of the Sentinels themselves, from `?sentinelPassword=`. */
  readonly sentinelPassword?: string;
  /** What the Sentinels call the master. */
  readonly master?: string;
  readonly db: number;
}

export const REDIS_FORMS = [
  "redis://[user:password@]host[:port][/db]",
  "rediss://… (the same over TLS)",
  "redis+sentinel://[user:password@]host:port,host:port/masterName[/db][?sentinelPassword=…]",
  "redis+cluster://[user:password@]host:port,host:port",
] as const;

const REDIS_PORT = 6379;
const SENTINEL_PORT = 26379;
const URL_FORM = /^redis(s?)(?:\+(sentinel|cluster))?:\/\/(?:(.*)@)?([^@/?#]+)(?:\/([^?#]*))?(?:\?([^#]*))?$/;
const HOST_FORM = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+))(?::(\d{1,5}))?$/;
const DB_FORM = /^\d{1,4}$/;

function misuse(problem: string): never {
  throw new Misuse(`store.url: ${problem}; accepted are:`, REDIS_FORMS);
}

function decode(text: string, what: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return misuse(`the ${what} is not percent-encoded correctly (write % as %25)`);
  }
}

function parseHost(text: string, defaultPort: number): RedisHost {
  const [, v6, name, digits] = HOST_FORM.exec(text) ?? misuse(`"${text}" is not host:port`);
  const port = digits === undefined ? defaultPort : Number(digits);
  if (port < 1 || port > 65_535) misuse(`${port} is not a port (1 to 65535)`);
  return { host: v6 ?? name ?? "", port };
}

function parseLogin(text: string | undefined): Pick<RedisAddress, "username" | "password"> {
  if (text === undefined || text === "") return {};
  const [, user = "", password] = /^([^:]*)(?::(.*))?$/s.exec(text) ?? [];
  return {
    ...(user !== "" && { username: decode(user, "user name") }),
    ...(password && { password: decode(password, "password") }),
  };
}

function parseDb(text: string | undefined): number {
  if (text === undefined || text === "") return 0;
  return DB_FORM.test(text) ? Number(text) : misuse(`"${text}" is not the number of a database`);
}

function parsePath(kind: RedisAddress["kind"], path: string): Pick<RedisAddress, "db" | "master"> {
  const parts = path.split("/");
  if (kind === "sentinel") {
    const [master = "", db, ...rest] = parts;
    if (master === "" || rest.length > 0)
      misuse("Sentinel needs the master's name, and at most a database, after the hosts");
    return { master: decode(master, "master's name"), db: parseDb(db) };
  }
  if (parts.length > 1) misuse("too much after the host");
  if (kind === "cluster" && path !== "") misuse("a Cluster has no databases to choose from");
  return { db: parseDb(path) };
}

/** Is it one of ours, well-formed or not? */
export const isRedisUrl = (url: string): boolean => /^rediss?(\+\w+)?:/.test(url);

/** @throws Misuse saying what is wrong, never showing the login */
export function parseRedisUrl(url: string): RedisAddress {
  const [, s, plus, login, hosts = "", path = "", query] = URL_FORM.exec(url) ?? misuse("not a Redis address");
  const kind = (plus as "sentinel" | "cluster" | undefined) ?? "single";
  const port = kind === "sentinel" ? SENTINEL_PORT : REDIS_PORT;
  const list = hosts.split(",").map((host) => parseHost(host, port));
  if (kind === "single" && list.length > 1) misuse("several hosts need redis+sentinel or redis+cluster");
  const sentinelPassword = new URLSearchParams(query).get("sentinelPassword");
  return {
    kind,
    tls: s === "s",
    hosts: list,
    ...parseLogin(login),
    ...(sentinelPassword && { sentinelPassword }),
    ...parsePath(kind, path),
  };
}

/** For messages: kind and hosts, no login. */
export function describeAddress({ kind, hosts }: RedisAddress): string {
  const list = hosts.map(({ host, port }) => `${host.includes(":") ? `[${host}]` : host}:${port}`).join(",");
  return kind === "single" ? `Redis at ${list}` : `Redis ${kind} ${list}`;
}
