import { z } from "zod";
import { canonicalIp, isIpRange } from "../kit/ip.ts";

/** The kinds of value a configuration has: durations, counts, domains, addresses. */

export const seconds = (n: number) => n * 1000;
export const minutes = (n: number) => seconds(n * 60);
export const count = (fallback: number, max = 1_000_000) => z.int().positive().max(max).default(fallback);
export const timeoutUpTo = (maxMs: number, fallbackMs: number) => z.int().min(10).max(maxMs).default(fallbackMs);
export const timeout = (fallbackMs: number) => timeoutUpTo(minutes(60), fallbackMs);

export const domain = z
  .string()
  .regex(/^(\*\.)?[\p{L}\p{N}_-]+(\.[\p{L}\p{N}_-]+)*$/u, "a domain, or *.domain for its subdomains")
  .transform((text) => text.toLowerCase());
export const ipRange = z.string().refine(isIpRange, "an IP address or CIDR range");
export const ruleMode = z.enum(["off", "watch", "enforce"]);

/** "127.0.0.1:2525", "[::1]:2525" or "unix:/run/consentry.sock". */
export const endpoint = z
  .string()
  .refine((text) => parseEndpoint(text) !== undefined, 'IP:port, [IPv6]:port or "unix:/path"')
  .transform((text) => parseEndpoint(text) as Endpoint);

export type Endpoint = { readonly host: string; readonly port: number } | { readonly path: string };

export function parseEndpoint(text: string): Endpoint | undefined {
  if (text.startsWith("unix:/")) return { path: text.slice("unix:".length) };
  const match = /^(?:\[([0-9a-f:.]+)\]|([0-9.]+)):(\d{1,5})$/i.exec(text);
  const host = match && canonicalIp(match[1] ?? match[2] ?? "");
  const port = Number(match?.[3]);
  return host && port <= 65535 ? { host, port } : undefined;
}
