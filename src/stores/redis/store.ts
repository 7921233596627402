import type { Store } from "../../kit/store.ts";
import { parseRedisUrl } from "./address.ts";
import { createRedisAdmissions } from "./admissions.ts";
import { type ConnectionOptions, connect } from "./connect.ts";
import { createRedisMarks } from "./marks.ts";
import { createRedisTables } from "./tables.ts";
import { createRedisWindows } from "./windows.ts";

/**
 * A store in Redis 6.2 or newer, shared by all nodes. Waits up to `timeoutMs` for the first connection and then opens anyway:
 * while Redis is away everything fails with Unavailable("store"), and works again when it is back.
 *
 * @throws Misuse when the URL is not of an accepted form
 */
export async function openRedisStore(url: string, options: ConnectionOptions): Promise<Store> {
  const connection = connect(parseRedisUrl(url), options);
  await connection.settled();
  return {
    tables: createRedisTables(connection),
    windows: createRedisWindows(connection),
    admissions: createRedisAdmissions(connection),
    marks: createRedisMarks(connection),
    async ping() {
      await connection.run((client) => client.ping());
    },
    close: () => connection.close(),
  };
}
