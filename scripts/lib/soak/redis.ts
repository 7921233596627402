/** Redis as operators run it: one server, a master with its replica and a Sentinel, or a Cluster of six. What can be done to each is a fault. */
import { execFile } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePort, program, type Running, start, untilListening } from "../../bench/lib/processes.ts";
import { type Fault, lasting, once } from "./fault.ts";
import { openLine } from "./line.ts";

const run = promisify(execFile);

export interface RedisWorld {
  readonly url: string;
  readonly faults: readonly Fault[];
  close(): Promise<void>;
}

interface Server extends Running {
  readonly port: number;
}

const COMMAND_MS_MAX = 60_000;

const cli = async (port: number, ...words: readonly string[]): Promise<string> =>
  (
    await run("redis-cli", ["-h", "127.0.0.1", "-p", String(port), ...words], { timeout: COMMAND_MS_MAX })
  ).stdout.trim();

async function startServer(work: string, more: readonly string[] = [], at?: number): Promise<Server> {
  const port = at ?? (await freePort());
  const dir = mkdtempSync(join(work, "redis-"));
  const listen = ["--bind", "127.0.0.1", "--port", String(port), "--dir", dir, "--save", "", "--loglevel", "warning"];
  const running = start(program("redis-server", "redis-server"), [...listen, ...more]);
  await untilListening(port);
  return { ...running, port };
}

async function until(what: string, ask: () => Promise<boolean>): Promise<void> {
  for (const endMs = performance.now() + COMMAND_MS_MAX; performance.now() < endMs; ) {
    if (await ask().catch(() => false)) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`not within a minute: ${what}`);
}

/** One server behind a line that can be slowed. */
export async function singleRedis(work: string): Promise<RedisWorld> {
  let server = await startServer(work);
  const line = await openLine(server.port);
  const { port } = server;
  return {
    url: `redis://127.0.0.1:${line.port}`,
    faults: [
      lasting(
        "Redis stands still (SIGSTOP)",
        () => void server.child.kill("SIGSTOP"),
        () => void server.child.kill("SIGCONT"),
      ),
      lasting(
        "Redis is killed and comes back empty",
        async () => {
          server.child.kill("SIGKILL");
          await server.stop();
        },
        async () => {
          server = await startServer(work, [], port);
        },
      ),
      once("Redis is flushed", async () => void (await cli(port, "flushall").catch(() => ""))),
      lasting(
        "Redis is slow (300 ms each way)",
        () => line.slow(300),
        () => line.slow(0),
      ),
      lasting(
        "the line to Redis is cut",
        () => line.cut(true),
        () => line.cut(false),
      ),
    ],
    async close() {
      await line.close();
      await server.stop();
    },
  };
}

/** A master, its replica, and a Sentinel that watches them. */
export async function sentinelRedis(work: string): Promise<RedisWorld> {
  const one = await startServer(work);
  const two = await startServer(work, ["--replicaof", "127.0.0.1", String(one.port)]);
  const port = await freePort();
  const conf = join(mkdtempSync(join(work, "sentinel-")), "sentinel.conf");
  const lines = [
    "bind 127.0.0.1",
    `port ${port}`,
    `sentinel monitor main 127.0.0.1 ${one.port} 1`,
    "sentinel down-after-milliseconds main 800",
    "sentinel failover-timeout main 4000",
  ];
  writeFileSync(conf, `${lines.join("\n")}\n`);
  const sentinel = start(program("redis-server", "redis-server"), [conf, "--sentinel"]);
  await untilListening(port);
  await until("the Sentinel knows the replica", async () => (await cli(port, "info", "sentinel")).includes("slaves=1"));
  const master = async (): Promise<Server> => {
    const [, at] = (await cli(port, "sentinel", "get-master-addr-by-name", "main")).split("\n");
    return Number(at) === two.port ? two : one;
  };
  let stopped: Server | undefined;
  return {
    url: `redis+sentinel://127.0.0.1:${port}/main`,
    faults: [
      once("Sentinel fails over", async () => void (await cli(port, "sentinel", "failover", "main").catch(() => ""))),
      lasting(
        "the master stands still, Sentinel fails over",
        async () => {
          stopped = await master();
          stopped.child.kill("SIGSTOP");
        },
        () => void stopped?.child.kill("SIGCONT"),
      ),
      once("Redis is flushed", async () => void (await cli((await master()).port, "flushall").catch(() => ""))),
    ],
    async close() {
      stopped?.child.kill("SIGCONT");
      for (const each of [sentinel, two, one]) await each.stop();
    },
  };
}

const MASTERS = 3;
const SLOTS_MOVED = 800;

/** Three masters with a replica each. */
export async function clusterRedis(work: string): Promise<RedisWorld> {
  const nodes: Server[] = [];
  for (let n = 0; n < 2 * MASTERS; n += 1) {
    // The bus port is 10,000 above: both below those that connections leave from.
    const port = 12_000 + Math.floor(Math.random() * 10_000);
    nodes.push(await startServer(work, ["--cluster-enabled", "yes", "--cluster-node-timeout", "1500"], port));
  }
  const hosts = nodes.map(({ port }) => `127.0.0.1:${port}`);
  await run("redis-cli", ["--cluster", "create", ...hosts, "--cluster-replicas", "1", "--cluster-yes"], {
    timeout: COMMAND_MS_MAX,
  });
  const first = nodes[0] as Server;
  await until("the Cluster is whole", async () => {
    const infos = await Promise.all(nodes.map(({ port }) => cli(port, "cluster", "info")));
    return infos.every((info) => /cluster_state:ok/.test(info) && /cluster_known_nodes:6/.test(info));
  });
  let stopped: Server | undefined;
  return {
    url: `redis+cluster://${hosts.join(",")}`,
    faults: [
      once("the Cluster is resharded", () => reshard(first.port)),
      lasting(
        "a master of the Cluster stands still, its replica takes over",
        async () => {
          const ports = (await mastersOf(first.port)).map(({ port }) => port);
          stopped = nodes.find(({ port }) => port !== first.port && ports.includes(port));
          stopped?.child.kill("SIGSTOP");
        },
        () => void stopped?.child.kill("SIGCONT"),
      ),
      once("the Cluster is flushed", async () => {
        for (const { port } of await mastersOf(first.port)) await cli(port, "flushall").catch(() => "");
      }),
    ],
    async close() {
      stopped?.child.kill("SIGCONT");
      for (const each of nodes) await each.stop();
    },
  };
}

async function mastersOf(port: number): Promise<{ id: string; port: number }[]> {
  const lines = (await cli(port, "cluster", "nodes")).split("\n");
  return lines
    .filter((line) => /\bmaster\b/.test(line) && !/\bfail\b/.test(line))
    .map((line) => ({ id: line.split(" ")[0] ?? "", port: Number(/:(\d+)@/.exec(line)?.[1]) }));
}

/** Slots go from the last master to the first, while mails are on their way. A Cluster that is just failing over says no, and that is fine. */
async function reshard(port: number): Promise<void> {
  const masters = await mastersOf(port);
  const [to, from] = [masters[0], masters.at(-1)];
  if (!to || !from || to.id === from.id) return;
  const slots = ["--cluster-from", from.id, "--cluster-to", to.id, "--cluster-slots", String(SLOTS_MOVED)];
  await run("redis-cli", ["--cluster", "reshard", `127.0.0.1:${port}`, ...slots, "--cluster-yes"], {
    timeout: COMMAND_MS_MAX,
  }).catch(() => "");
}
