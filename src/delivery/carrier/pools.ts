import { Broken } from "../smtp/broken.ts";
import type { Connection } from "../smtp/connection.ts";
import type { Left, Server } from "../smtp/greet.ts";
import { Pool, type PoolOptions } from "../smtp/pool.ts";

/** A connection for one mail at a time, until it is given back. */
export interface Loan {
  readonly connection: Connection;
  /** @param isClean no mail is half done on it */
  giveBack(isClean: boolean): void;
}

export interface Pools {
  /**
   * A kept connection to this server on these terms, else a new one.
   * @param fresh do not take a kept one
   * @throws Broken
   */
  borrow(server: Server, left: Left, fresh?: boolean): Promise<Loan>;
  /** Is a kept connection free? */
  hasIdle(server: Server): boolean;
  /** Open connections, all servers together. */
  readonly open: number;
  close(graceMs: number): Promise<void>;
}

export interface PoolsOptions extends Omit<PoolOptions, "connectionsMax" | "timeoutMs"> {
  /** Open at the same time, all servers together. */
  readonly connectionsMax: number;
}

/** Who is called, from where and on which terms: what must be the same for a connection to serve another mail. */
function keyOf(server: Server): string {
  const known = keys.get(server);
  if (known !== undefined) return known;
  const { endpoint, lmtp, implicitTls, tls, tlsName, credentials } = server;
  const key = JSON.stringify([endpoint, lmtp, implicitTls, tls, tlsName, credentials?.user]);
  keys.set(server, key);
  return key;
}
const keys = new WeakMap<Server, string>();

/** One pool of connections for each server, with one bound on them all: who is unused for longest makes room. */
export function createPools(options: PoolsOptions): Pools {
  const pools = new Map<string, Pool>();
  let isClosed = false;
  const open = (): number => [...pools.values()].reduce((sum, pool) => sum + pool.size, 0);
  const poolOf = (server: Server): Pool => {
    const key = keyOf(server);
    const known = pools.get(key);
    if (known) return known;
    // The bound is ours, so nobody ever waits in a pool's own line; RSET and QUIT have bounds of their own.
    const pool = new Pool(server, { ...options, timeoutMs: options.idleMs });
    pools.set(key, pool);
    return pool;
  };
  const makeRoom = (server: Server): void => {
    for (const [key, pool] of pools) if (pool.size === 0) pools.delete(key);
    if (open() < options.connectionsMax) return;
    const idle = [...pools.values()].filter((pool) => pool.idleSinceMs !== undefined);
    const oldest = idle.sort((a, b) => (a.idleSinceMs ?? 0) - (b.idleSinceMs ?? 0))[0];
    if (!oldest) {
      const where = { name: server.name, step: "connecting" };
      throw new Broken(where, "ours", { what: `all ${options.connectionsMax} connections are busy` });
    }
    oldest.dropIdle();
  };
  return {
    async borrow(server, left, fresh = false) {
      if (isClosed) throw new Broken({ name: server.name, step: "connecting" }, "ours", { what: "closing" });
      const kept = fresh ? undefined : pools.get(keyOf(server))?.take();
      if (!kept) makeRoom(server);
      const pool = poolOf(server);
      const connection = kept ?? (await pool.get(left));
      return { connection, giveBack: (isClean) => (isClean ? pool.release(connection) : pool.reset(connection)) };
    },
    hasIdle: (server) => pools.get(keyOf(server))?.idleSinceMs !== undefined,
    get open() {
      return open();
    },
    async close(graceMs) {
      isClosed = true;
      await Promise.all([...pools.values()].map((pool) => pool.close(graceMs)));
    },
  };
}
