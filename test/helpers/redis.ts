import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePort, installed, isFree, type Program, startProgram } from "./process.ts";
import { tempDir } from "./temp.ts";
import { until } from "./wait.ts";

const run = promisify(execFile);

export const hasRedis = installed("redis-server") && installed("redis-cli");

export interface RedisServer {
  readonly port: number;
  readonly dir: string;
  readonly url: string;
  readonly program: Program;
  /** redis-cli against it. */
  cli(...args: string[]): Promise<string>;
  stop(): Promise<void>;
}

export interface RedisServerOptions {
  /** Default: a free one. */
  readonly port?: number;
  /** Default: a new one. */
  readonly dir?: string;
  readonly password?: string;
  /** Further arguments of redis-server. */
  readonly args?: readonly string[];
}

/** Starts a redis-server on 127.0.0.1, saving nothing unless told to, and waits until it answers. */
export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  const { port = await freePort(), dir = tempDir(), password, args = [] } = options;
  const login = password === undefined ? [] : ["--requirepass", password];
  const listen = ["--bind", "127.0.0.1", "--port", String(port), "--dir", dir];
  const program = await startProgram("redis-server", [...listen, "--save", "", ...login, ...args]);
  const auth = password === undefined ? [] : ["--no-auth-warning", "-a", password];
  const cli = async (...words: string[]): Promise<string> => {
    const { stdout } = await run("redis-cli", ["-h", "127.0.0.1", "-p", String(port), ...auth, ...words]);
    return stdout.trim();
  };
  await until(`redis-server answers on ${port}`, async () => (await cli("ping")) === "PONG");
  const userinfo = password === undefined ? "" : `:${encodeURIComponent(password)}@`;
  return { port, dir, program, cli, url: `redis://${userinfo}127.0.0.1:${port}`, stop: () => program.stop() };
}

export interface RedisCluster {
  readonly nodes: readonly RedisServer[];
  readonly url: string;
  stop(): Promise<void>;
}

/** A port whose bus port, 10,000 above, is free too. */
async function clusterPort(): Promise<number> {
  for (let tries = 0; tries < 100; tries += 1) {
    const port = 15_000 + Math.floor(Math.random() * 7_000);
    if ((await isFree(port)) && (await isFree(port + 10_000))) return port;
  }
  throw new Error("no free ports for a Redis Cluster");
}

/** Starts a Cluster of three masters and waits until all slots are served. */
export async function startRedisCluster(): Promise<RedisCluster> {
  const nodes: RedisServer[] = [];
  for (let i = 0; i < 3; i += 1) {
    const args = ["--cluster-enabled", "yes", "--cluster-node-timeout", "2000"];
    nodes.push(await startRedis({ port: await clusterPort(), args }));
  }
  const hosts = nodes.map(({ port }) => `127.0.0.1:${port}`);
  await run("redis-cli", ["--cluster", "create", ...hosts, "--cluster-yes"]);
  await until("every node sees the whole Cluster", async () => {
    const infos = await Promise.all(nodes.map((node) => node.cli("cluster", "info")));
    return infos.every((info) => /cluster_state:ok/.test(info) && /cluster_known_nodes:3/.test(info));
  });
  const stop = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => node.stop()));
  };
  return { nodes, url: `redis+cluster://${hosts.join(",")}`, stop };
}

export interface RedisSentinelSet {
  readonly master: RedisServer;
  readonly replica: RedisServer;
  readonly sentinel: Program;
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts a master, its replica and one Sentinel that watches them, all with passwords. */
export async function startRedisSentinel(): Promise<RedisSentinelSet> {
  const [password, sentinelPassword] = ["data:p@ss/word", "watch&word"];
  const args = ["--masterauth", password];
  const master = await startRedis({ password, args });
  const replica = await startRedis({ password, args: [...args, "--replicaof", "127.0.0.1", String(master.port)] });
  const port = await freePort();
  const conf = join(tempDir(), "sentinel.conf");
  const lines = [
    `bind 127.0.0.1`,
    `port ${port}`,
    `requirepass ${sentinelPassword}`,
    `sentinel monitor main 127.0.0.1 ${master.port} 1`,
    `sentinel auth-pass main ${password}`,
    "sentinel down-after-milliseconds main 500",
    "sentinel failover-timeout main 3000",
  ];
  writeFileSync(conf, `${lines.join("\n")}\n`, { mode: 0o600 });
  const sentinel = await startProgram("redis-server", [conf, "--sentinel"]);
  await until("the replica is in step and the Sentinel knows it", async () => {
    const { stdout } = await run("redis-cli", [
      "-p",
      String(port),
      "-a",
      sentinelPassword,
      "--no-auth-warning",
      "info",
    ]);
    const inStep = (await master.cli("info", "replication")).includes("state=online");
    return inStep && /status=ok.*slaves=1/.test(stdout);
  });
  const login = `:${encodeURIComponent(password)}@`;
  const query = `?sentinelPassword=${encodeURIComponent(sentinelPassword)}`;
  const stop = async (): Promise<void> => {
    await sentinel.stop();
    await Promise.all([master.stop(), replica.stop()]);
  };
  return { master, replica, sentinel, stop, url: `redis+sentinel://${login}127.0.0.1:${port}/main${query}` };
}
