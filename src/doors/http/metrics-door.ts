import fastify, { type FastifyInstance } from "fastify";
import type { Endpoint } from "../../config/schema.ts";
import type { Door } from "../door.ts";
import { healthRoutes, listening } from "./listen.ts";

export interface MetricsParts {
  /** The figures of all workers, as Prometheus reads them. */
  readonly metrics: () => Promise<string>;
  /** @throws Error naming why no mail can be taken now */
  readonly ready: () => Promise<void>;
}

/** Of Prometheus' text format. */
const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";
const REQUEST_MS_MAX = 10_000;
const CONNECTIONS_MAX = 50;

/**
 * Opens a door with nothing but /metrics, /healthz and /readyz: for Prometheus and `consentry top`, at an address of its own, as nobody else
 * needs to know how many mails were refused.
 * @throws Misuse when the address cannot be listened on
 */
export async function openMetricsDoor(listen: Endpoint, { metrics, ready }: MetricsParts): Promise<Door> {
  const http = fastify({
    bodyLimit: 1,
    requestTimeout: REQUEST_MS_MAX,
    connectionTimeout: REQUEST_MS_MAX,
    forceCloseConnections: "idle",
  }) as unknown as FastifyInstance;
  http.server.maxConnections = CONNECTIONS_MAX;
  Object.assign(http.server, { dropMaxConnection: true });
  http.setNotFoundHandler((_request, reply) => reply.code(404).send({ error: "not found" }));
  http.get("/metrics", async (_request, reply) => reply.header("content-type", METRICS_TYPE).send(await metrics()));
  healthRoutes(http, { ready });
  const address = await listening(http, listen);
  return {
    address,
    renew: () => undefined,
    close: async (drainMs) => {
      const timer = setTimeout(() => http.server.closeAllConnections(), drainMs).unref();
      await http.close();
      clearTimeout(timer);
    },
  };
}
