import { isIP } from "node:net";
import type { SecureContext } from "node:tls";
import { isLoopback } from "../../kit/ip.ts";
import { Unavailable } from "../../kit/trouble.ts";
import type { Connection, Endpoint } from "./connection.ts";
import { readExtensions } from "./extensions.ts";
import type { ServerReply } from "./replies-in.ts";

/** When to use TLS: never; when offered, unchecked (RFC 7435); or always, with a certificate that holds. */
export type TlsUse = "never" | "opportunistic" | "require";

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

/** Who is talked to, and how. */
export interface Server {
  /** As ledger and log know it; holds no credentials. */
  readonly name: string;
  readonly endpoint: Endpoint;
  readonly lmtp: boolean;
  /** smtps: TLS from the first byte. */
  readonly implicitTls: boolean;
  readonly tls: TlsUse;
  readonly secureContext: SecureContext;
  /** The name we give ourselves. */
  readonly hostname: string;
  readonly credentials?: Credentials | undefined;
}

/** Milliseconds left, at least 1. */
export type Left = () => number;

/**
 * Takes a new connection to where MAIL may be said: greeting, EHLO, TLS, AUTH (RFC 5321 3.1, 3207, 4954).
 * @throws Unavailable when the server cannot be had on these terms
 */
export async function greet(connection: Connection, server: Server, left: Left): Promise<void> {
  await connection.connected(left());
  if (server.implicitTls) await connection.encrypt(tlsOptions(server), left());
  demand(await connection.askOne("", "greeting", left()), 220, `${server.name}: greeting`);
  await hello(connection, server, left);
  if (server.tls !== "never" && !connection.isEncrypted) await startTls(connection, server, left);
  if (server.credentials) await login(connection, server, { left, credentials: server.credentials });
}

async function hello(connection: Connection, server: Server, left: Left): Promise<void> {
  const verb = server.lmtp ? "LHLO" : "EHLO";
  const reply = await connection.askOne(`${verb} ${server.hostname}`, verb, left());
  if (reply.code === 250) {
    connection.extensions = readExtensions(reply.lines);
    return;
  }
  // RFC 5321 3.2: an old server refuses EHLO for good and may still know HELO. LMTP has no such past.
  if (server.lmtp || reply.code < 500) throw trouble(server, `${verb} was answered ${reply.code}`);
  demand(await connection.askOne(`HELO ${server.hostname}`, "HELO", left()), 250, `${server.name}: HELO`);
  connection.extensions = readExtensions([]);
}

async function startTls(connection: Connection, server: Server, left: Left): Promise<void> {
  const must = server.tls === "require";
  if (!connection.extensions.startTls) {
    if (must) throw trouble(server, "TLS is required and not offered");
    return;
  }
  const reply = await connection.askOne("STARTTLS", "STARTTLS", left());
  if (reply.code !== 220) {
    if (must) throw trouble(server, `STARTTLS was answered ${reply.code}`);
    return;
  }
  await connection.encrypt(tlsOptions(server), left());
  // What was offered in clear text does not count any more (RFC 3207 4.2).
  await hello(connection, server, left);
}

function tlsOptions({ endpoint, implicitTls, tls, secureContext }: Server) {
  const host = "host" in endpoint ? endpoint.host : "localhost";
  return {
    secureContext,
    host,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    rejectUnauthorized: implicitTls || tls === "require",
  };
}

async function login(
  connection: Connection,
  server: Server,
  { left, credentials }: { left: Left; credentials: Credentials },
): Promise<void> {
  const isLocal = "path" in server.endpoint || isLoopback(connection.remoteIp ?? "");
  if (!connection.isEncrypted && !isLocal) throw trouble(server, "no TLS, so the credentials are not sent");
  const { user, password } = credentials;
  const { auth } = connection.extensions;
  const step = `${server.name}: AUTH`;
  const say = (line: string): Promise<ServerReply> => connection.askOne(line, "AUTH", left());
  if (auth.includes("PLAIN")) {
    demand(await say(`AUTH PLAIN ${base64(`\0${user}\0${password}`)}`), 235, step);
  } else if (auth.includes("LOGIN")) {
    demand(await say("AUTH LOGIN"), 334, step);
    demand(await say(base64(user)), 334, step);
    demand(await say(base64(password)), 235, step);
  } else throw trouble(server, "credentials are configured, but neither AUTH PLAIN nor LOGIN is offered");
}

const base64 = (text: string): string => Buffer.from(text).toString("base64");

function demand(reply: ServerReply, code: number, step: string): void {
  if (reply.code !== code) throw new Unavailable("next-hop", `${step} was answered ${reply.code}`);
}

const trouble = (server: Server, what: string): Unavailable => new Unavailable("next-hop", `${server.name}: ${what}`);
