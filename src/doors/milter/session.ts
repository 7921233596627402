/**
 * The SMTP session as an MTA tells it: connection, HELO and macros become the view that every door fills. Whoever the MTA says
 * is there (after XCLIENT or a PROXY header too) is whom we judge: it has the connection, we do not.
 */
import { canonicalIp, isLoopback } from "../../kit/ip.ts";
import type { Client } from "../../mail/client.ts";
import type { Session } from "../../mail/views.ts";
import type { ClientReader } from "../../registers/clients.ts";
import type { Macros } from "./macros.ts";
import type { ConnectInfo } from "./payload.ts";

export interface SessionParts {
  readonly clients: ClientReader;
  readonly settings: () => { readonly relayNetworks: { has(ip: string): boolean } };
  /** Values of {daemon_name} whose sessions are submissions: only clients may send there. */
  readonly submissionDaemons: readonly string[];
  /** The listener's. */
  readonly packs?: readonly string[] | undefined;
}

/** What a session view is read from, asked for by name; an MTA that takes no such lists sends these on its own. */
export const SESSION_MACROS = {
  connect: ["daemon_name", "daemon_addr", "daemon_port", "if_addr"],
  helo: ["tls_version", "cipher"],
  mail: ["auth_authen", "tls_version", "cipher"],
} as const;

/** What the MTA has told so far. */
export interface Told {
  readonly info: ConnectInfo | undefined;
  readonly helo: string | undefined;
  readonly macros: Macros;
}

/** Stands for an address that the MTA does not know; it is nobody's. */
const UNKNOWN_IP = "0.0.0.0";
/** How long a client that was looked up is believed, ms. */
const BELIEVED_MS = 10_000;

/**
 * Mail that did not come by SMTP: from the MTA's own command line, or made by itself. Postfix tells it as localhost without a
 * port, Sendmail as localhost without an address. It is the operator's own. An address that is merely unknown is not.
 */
export function isLocalMail(info: ConnectInfo | undefined): boolean {
  if (info?.family === "unknown") return info.hostname === "localhost";
  return info?.family === "unix" || (info !== undefined && info.port === 0 && isLoopback(info.address));
}

/** Describes one session, again and again as more is told. */
export function createSessionTeller(id: string, parts: SessionParts) {
  let known: { readonly key: string; readonly client: Client | undefined; readonly untilMs: number } | undefined;

  /** A login that is no client's own name counts for the network it comes from. */
  const find = async (login: string | undefined, ip: string): Promise<Client | undefined> =>
    (login !== undefined && (await parts.clients.byId(login))) || parts.clients.byNetwork(ip);

  const clientOf = async (login: string | undefined, ip: string): Promise<Client | undefined> => {
    const key = `${login ?? ""} ${ip}`;
    if (known?.key === key && performance.now() < known.untilMs) return known.client;
    const client = await find(login, ip);
    known = { key, client, untilMs: performance.now() + BELIEVED_MS };
    return client;
  };

  /** @throws Unavailable when the client register does not answer */
  return async (told: Told): Promise<Session> => {
    const { info, helo, macros } = told;
    const local = isLocalMail(info);
    const clientIp = local ? "127.0.0.1" : (canonicalIp(info?.address ?? "") ?? UNKNOWN_IP);
    const login = macros.get("auth_authen") || undefined;
    const client = await clientOf(login, clientIp);
    const daemon = macros.get("daemon_name");
    return Object.freeze({
      id,
      door: "milter",
      role: daemon !== undefined && parts.submissionDaemons.includes(daemon) ? "submission" : "mx",
      clientIp,
      clientPort: info?.port ?? 0,
      serverIp: addressOf(macros.get("if_addr")) ?? addressOf(macros.get("daemon_addr")) ?? "",
      serverPort: Number(macros.get("daemon_port")) || 0,
      inRelayNetworks: local || parts.settings().relayNetworks.has(clientIp),
      ...(helo !== undefined && { helo }),
      ...tlsOf(macros),
      ...(login !== undefined && { login }),
      ...(client && { client }),
      ...(parts.packs && { packs: parts.packs }),
    } satisfies Session);
  };
}

/** Sendmail writes "IPv6:::1". */
const addressOf = (text: string | undefined): string | undefined => canonicalIp((text ?? "").replace(/^IPv6:/i, ""));

function tlsOf(macros: Macros): { tls?: string } {
  const version = macros.get("tls_version");
  return version ? { tls: `${version} ${macros.get("cipher") ?? ""}`.trim() } : {};
}
