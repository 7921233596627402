import fastify, { type FastifyInstance } from "fastify";
import type { Endpoint } from "../../config/schema.ts";
import type { Log } from "../../kit/log.ts";
import { Misuse } from "../../kit/trouble.ts";
import type { Certificate, Door } from "../door.ts";
import { type ApiParts, apiRoutes } from "./api-routes.ts";
import { type ExplainParts, explainRoutes } from "./explain-routes.ts";
import { type WordParts, wordRoutes } from "./word-routes.ts";

export interface HttpParts extends WordParts, ApiParts, ExplainParts {
  readonly log: Log;
  /** Does everything answer that mail needs? @throws Unavailable naming what does not */
  readonly ready: () => Promise<void>;
}

export interface HttpDoorOptions {
  readonly listen: Endpoint;
  readonly certificate?: Certificate | undefined;
  readonly connectionsMax: number;
}

const BODY_BYTES_MAX = 16_384;
const REQUEST_MS_MAX = 10_000;
const IDLE_MS_MAX = 30_000;
const REQUESTS_PER_SOCKET_MAX = 100;

/**
 * Opens the HTTP door: refusals and consents by link (RFC 8058), what a refusal of ours meant, the API, and whether we are well. Behind a proxy that ends TLS, or
 * with our own certificate.
 * @throws Misuse when the address cannot be listened on
 */
export async function openHttpDoor(options: HttpDoorOptions, parts: HttpParts): Promise<Door> {
  const { listen, certificate } = options;
  const bounds = { bodyLimit: BODY_BYTES_MAX, requestTimeout: REQUEST_MS_MAX, connectionTimeout: IDLE_MS_MAX };
  const http = fastify({
    ...bounds,
    keepAliveTimeout: IDLE_MS_MAX,
    maxRequestsPerSocket: REQUESTS_PER_SOCKET_MAX,
    routerOptions: { maxParamLength: 2_000 },
    forceCloseConnections: "idle",
    ...(certificate && { https: certificate }),
  }) as unknown as FastifyInstance;
  http.server.maxConnections = options.connectionsMax;
  // Otherwise a connection too many goes round among full workers for ever.
  Object.assign(http.server, { dropMaxConnection: true });
  readsFormsAsText(http);
  http.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 500) parts.log.error({ err: error }, "a bug behind the HTTP door");
    return reply.code(status).send({ error: status >= 500 ? "fault" : "invalid" });
  });
  http.setNotFoundHandler((_request, reply) => reply.code(404).send({ error: "not found" }));
  wordRoutes(http, parts);
  apiRoutes(http, parts);
  explainRoutes(http, parts);
  healthRoutes(http, parts);
  const address = await listening(http, listen);
  return {
    address,
    renew: (fresh) => {
      if ("setSecureContext" in http.server)
        (http.server as { setSecureContext(c: Certificate): void }).setSecureContext(fresh);
    },
    close: async (drainMs) => {
      const timer = setTimeout(() => http.server.closeAllConnections(), drainMs).unref();
      await http.close();
      clearTimeout(timer);
    },
  };
}

/** One-click bodies come in two encodings, and are looked at as text. */
function readsFormsAsText(http: FastifyInstance): void {
  const types = ["application/x-www-form-urlencoded", "multipart/form-data"];
  http.addContentTypeParser(types, { parseAs: "string" }, (_request, body, done) => done(null, body));
}

/** /healthz: the process answers. /readyz: it can take mail. */
export function healthRoutes(http: FastifyInstance, { ready }: Pick<HttpParts, "ready">): void {
  http.get("/healthz", async () => ({ ok: true }));
  http.get("/readyz", async (_request, reply) => {
    try {
      await ready();
      return { ok: true };
    } catch (error) {
      return reply.code(503).send({ ok: false, reason: (error as Error).message });
    }
  });
}

/** @returns where it really listens @throws Misuse */
export async function listening(http: FastifyInstance, listen: Endpoint): Promise<string> {
  try {
    await http.listen({ ...listen });
  } catch (error) {
    throw new Misuse(`cannot listen for HTTP: ${(error as Error).message}`);
  }
  if ("path" in listen) return `unix:${listen.path}`;
  const at = http.server.address();
  const port = typeof at === "object" && at ? at.port : listen.port;
  return `${listen.host.includes(":") ? `[${listen.host}]` : listen.host}:${port}`;
}
