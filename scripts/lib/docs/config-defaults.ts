import { configSchema, type Endpoint } from "../../../src/config/schema.ts";
import { keysOf, type SchemaKey } from "./schema-keys.ts";

/** Every key of the configuration. */
export const configKeys = (): SchemaKey[] => keysOf(configSchema, written(configSchema.parse({})));

const isEndpoint = (value: object): value is Endpoint =>
  "path" in value ? Object.keys(value).length === 1 : "host" in value && "port" in value;

/** Checked values back in the form they are written in: an endpoint is one text. */
function written(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(written);
  if (typeof value !== "object" || value === null) return value;
  if (isEndpoint(value)) return endpointText(value);
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, written(part)]));
}

function endpointText(endpoint: Endpoint): string {
  if ("path" in endpoint) return `unix:${endpoint.path}`;
  const { host, port } = endpoint;
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}
