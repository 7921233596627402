/**
 * The connection: single server, Sentinel or Cluster. Nothing is ever queued for a connection that is not there, and a server that
 * does not answer within `timeoutMs` loses the connection, so that what follows fails at once; ioredis reconnects by
 * itself, waiting 50 ms to 2 s in between, until close.
 *
 * ioredis sends what is issued in one tick in one write; enableAutoPipelining is slower.
 */
import { Cluster, Redis } from "ioredis";
import { withDeadline } from "../../kit/deadline.ts";
import { Unavailable } from "../../kit/trouble.ts";
import { describeAddress, type RedisAddress } from "./address.ts";
import { ADMIT, DISTINCT, GIVE_BACK, PUT, TAKE } from "./scripts.ts";

/** What the scripts become as commands. */
interface Scripts {
  consentryPut(hash: string, id: string, json: string, ifVersion: number | ""): Promise<number | null>;
  consentryTake(window: string, max: number, windowMs: number, n: number): Promise<[number, number, number]>;
  /** How many keys, the keys, then the arguments. */
  consentryAdmit(keys: number, ...keysAndArgs: (string | number)[]): Promise<AdmitAnswer[]>;
  consentryGiveBack(window: string, n: number): Promise<null>;
  consentryDistinct(newest: string, sample: string, state: string, hash: string, withinMs: number): Promise<number>;
}

/** The row, max and window of its own quota, then for each quota three numbers, or 0 where it was not asked for. */
export type AdmitAnswer = [
  row: string | null,
  max: string | 0,
  windowMs: string | 0,
  ...grants: ([number, number, number] | 0)[],
];

export type Client = (Redis | Cluster) & Scripts;

export interface ConnectionOptions {
  /** Longest wait for one answer, ms. */
  readonly timeoutMs: number;
  /** Told when the connection comes and goes, with the reason; never with a password. */
  readonly onState?: (up: boolean, why?: string) => void;
}

export interface Connection {
  /** Runs commands within the time. @throws Unavailable("store"): at once while there is no connection */
  run<T>(work: (client: Client) => Promise<T>): Promise<T>;
  /** A script may touch the keys of one partition only. */
  readonly clustered: boolean;
  /** The servers that hold keys, each once. */
  masters(): Redis[];
  /** Resolves when the connection is ready, or after `timeoutMs`. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

const RETRY_MS_MIN = 50;
const RETRY_MS_MAX = 2_000;
const RETRY_JITTER_MS = 100;
const GOODBYE_MS = 200;

/** Doubles from 50 ms to 2 s, with up to 100 ms of jitter. */
const backoffMs = (times: number): number =>
  Math.min(RETRY_MS_MIN * 2 ** Math.min(times - 1, 10), RETRY_MS_MAX) + Math.floor(Math.random() * RETRY_JITTER_MS);

const SCRIPTS = {
  consentryPut: { lua: PUT, numberOfKeys: 1 },
  consentryTake: { lua: TAKE, numberOfKeys: 1 },
  consentryAdmit: { lua: ADMIT },
  consentryGiveBack: { lua: GIVE_BACK, numberOfKeys: 1 },
  consentryDistinct: { lua: DISTINCT, numberOfKeys: 3 },
};

function serverOptions({ username, password, tls, db }: RedisAddress, timeoutMs: number) {
  return {
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(tls && { tls: {} }),
    db,
    connectionName: "consentry",
    connectTimeout: timeoutMs,
    // How long a closed connection may take to say goodbye; keeps the process from ending.
    disconnectTimeout: GOODBYE_MS,
    socketTimeout: timeoutMs,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    // A master that became a replica: ask again who is master.
    reconnectOnError: (error: Error) => error.message.startsWith("READONLY"),
  };
}

function openClient(address: RedisAddress, timeoutMs: number): Client {
  const options = serverOptions(address, timeoutMs);
  const [first = { host: "127.0.0.1", port: 6379 }] = address.hosts;
  if (address.kind === "cluster") {
    const nodes = [...address.hosts];
    return new Cluster(nodes, {
      redisOptions: options,
      scripts: SCRIPTS,
      enableOfflineQueue: false,
      slotsRefreshTimeout: timeoutMs,
      clusterRetryStrategy: backoffMs,
      // TLS certificates are for names, and Cluster answers with what it announces.
      ...(address.tls && { dnsLookup: (name, callback) => callback(null, name) }),
    }) as unknown as Client;
  }
  const lasting = { ...options, scripts: SCRIPTS, enableOfflineQueue: false, retryStrategy: backoffMs };
  if (address.kind === "single") return new Redis({ ...lasting, ...first }) as unknown as Client;
  return new Redis({
    ...lasting,
    sentinels: [...address.hosts],
    name: address.master ?? "",
    sentinelRetryStrategy: backoffMs,
    sentinelCommandTimeout: timeoutMs,
    ...(address.sentinelPassword && { sentinelPassword: address.sentinelPassword }),
    ...(address.tls && { enableTLSForSentinelMode: true, sentinelTLS: {} }),
  }) as unknown as Client;
}

/** What Redis or the network said, without commands' arguments and without passwords. */
function createWording({ password, sentinelPassword }: RedisAddress): (error: unknown) => string {
  const secrets = [password, sentinelPassword].filter((secret) => secret !== undefined && secret !== "");
  return (error) => {
    const { message = "", lastNodeError } = error as Error & { lastNodeError?: Error };
    const [text = ""] = (lastNodeError?.message ?? message).split(", with args");
    return secrets.reduce<string>((clean, secret) => clean.replaceAll(secret ?? "", "***"), text);
  };
}

interface Health {
  /** Why there is no connection. */
  why(): string;
  report(up: boolean): void;
  /** From now on the connection goes because it is told to. */
  mute(): void;
}

/** Follows the connection, and tells `onState` of each change once. */
function watch(client: Client, wording: (error: unknown) => string, onState: ConnectionOptions["onState"]): Health {
  let why = "not connected yet";
  let up: boolean | undefined;
  let muted = false;
  const report = (now: boolean): void => {
    if (now === up || muted) return;
    up = now;
    onState?.(now, ...(now ? [] : [why]));
  };
  const note = (error: unknown): void => {
    why = wording(error);
  };
  client.on("error", note);
  client.on("node error", note);
  client.on("ready", () => {
    why = "connection lost";
    report(true);
  });
  client.on("close", () => report(false));
  const mute = (): void => {
    muted = true;
    why = "closed";
  };
  return { report, mute, why: () => why };
}

/** Opens a connection and keeps it open. Does not wait for it, and does not fail when the server is away. */
export function connect(address: RedisAddress, { timeoutMs, onState }: ConnectionOptions): Connection {
  const wording = createWording(address);
  const name = describeAddress(address);
  const client = openClient(address, timeoutMs);
  const health = watch(client, wording, onState);
  let closed = false;
  const trouble = (error: unknown): Unavailable =>
    error instanceof Unavailable ? error : new Unavailable("store", `${name}: ${wording(error)}`);

  return {
    clustered: address.kind === "cluster",
    async run(work) {
      if (closed || client.status !== "ready") {
        throw new Unavailable("store", `${name}: no connection (${health.why()})`);
      }
      try {
        return await withDeadline(work(client), timeoutMs, "store", name);
      } catch (error) {
        throw trouble(error);
      }
    },
    masters: () => (client instanceof Cluster ? client.nodes("master") : [client as Redis]),
    async settled() {
      if (client.status === "ready") return;
      const ready = new Promise<void>((resolve) => client.once("ready", resolve));
      await withDeadline(ready, timeoutMs, "store", name).catch(() => health.report(false));
    },
    async close() {
      closed = true;
      health.mute();
      await withDeadline(client.quit(), timeoutMs, "store", name).catch(() => undefined);
      client.disconnect();
    },
  };
}
