import { afterEach } from "vitest";
import { type Carrying, carrying } from "./carrying.ts";
import { type ScriptedServer, type ScriptOptions, startScripted } from "./scripted-server.ts";

/** Carriers with scripted servers as MX hosts; all is stopped after each test. */
export const running: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const { stop } of running.splice(0).reverse()) await stop();
});

export async function server(script: ScriptOptions = {}): Promise<ScriptedServer> {
  const started = await startScripted({ extensions: ["PIPELINING", "8BITMIME", "DSN"], ...script });
  running.push(started);
  return started;
}

export function carry(config: { queue?: object; [key: string]: unknown }, zone: readonly string[] = []): Carrying {
  const queue = { mxNetworks: ["127.0.0.0/8", "::1"], ...config.queue };
  const made = carrying({ ...config, queue }, zone);
  running.push({ stop: () => made.carrier.close(0) });
  return made;
}

/** One domain whose MX is a scripted server on 127.0.0.1. */
export async function oneWay(script: ScriptOptions = {}, config: { queue?: object; [key: string]: unknown } = {}) {
  const mx = await server(script);
  const zone = ["b.example MX 10 mx.b.example", "mx.b.example A 127.0.0.1"];
  return { mx, ...carry({ nextHop: { to: `mx:${mx.port}` }, ...config }, zone) };
}

/** Two servers at one port of two loopback addresses, in this order of preference. */
export async function twoWays(first: ScriptOptions, second: ScriptOptions, config: { queue?: object } = {}) {
  const two = await server(second);
  const one = await server({ ...first, at: { host: "127.0.0.2", port: two.port } });
  const zone = [
    "b.example MX 10 one.example",
    "one.example A 127.0.0.2",
    "b.example MX 20 two.example",
    "two.example A 127.0.0.1",
  ];
  return { one, two, ...carry({ nextHop: { to: `mx:${two.port}` }, ...config }, zone) };
}
