import { isIP } from "node:net";
import type { SecureContext } from "node:tls";
import { isLoopback } from "../../kit/ip.ts";
import type { Unavailable } from "../../kit/trouble.ts";
import { Broken } from "./broken.ts";
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
  /** The name its certificate must hold; absent: the endpoint's host. */
  readonly tlsName?: string;
  readonly secureContext: SecureContext;
  /** The name we give ourselves. */
  readonly hostname: string;
  readonly credentials?: Credentials | undefined;
}

/** Milliseconds left for a step, at least 1. */
export type Left = (step?: string) => number;

/**
 * Takes a new connection to where MAIL may be said: greeting, EHLO, TLS, AUTH (RFC 5321 3.1, 3207, 4954).
 * @throws Unavailable when the server cannot be had on these terms
 */
export async function greet(connection: Connection, server: Server, left: Left): Promise<void> {
  await connection.connected(left("connecting"));
  if (server.implicitTls) await connection.encrypt(tlsOptions(server), left("TLS handshake"));
  demand(await connection.askOne("", "greeting", left("greeting")), 220, { name: server.name, step: "greeting" });
  await hello(connection, server, left);
  if (server.tls !== "never" && !connection.isEncrypted) await startTls(connection, server, left);
  if (server.credentials) await login(connection, server, { left, credentials: server.credentials });
}

async function hello(connection: Connection, server: Server, left: Left): Promise<void> {
  const verb = server.lmtp ? "LHLO" : "EHLO";
  const reply = await connection.askOne(`${verb} ${server.hostname}`, verb, left("EHLO"));
  if (reply.code === 250) {
    connection.extensions = readExtensions(reply.lines);
    return;
  }
  // RFC 5321 3.2: an old server refuses EHLO for good and may still know HELO. LMTP has no such past.
  if (server.lmtp || reply.code < 500) {
    throw trouble(server, verb, `${verb} was answered ${reply.code}`, reply);
  }
  const where = { name: server.name, step: "HELO" };
  demand(await connection.askOne(`HELO ${server.hostname}`, "HELO", left("EHLO")), 250, where);
  connection.extensions = readExtensions([]);
}

async function startTls(connection: Connection, server: Server, left: Left): Promise<void> {
  const must = server.tls === "require";
  if (!connection.extensions.startTls) {
    if (must) throw trouble(server, "STARTTLS", "TLS is required and not offered");
    return;
  }
  const reply = await connection.askOne("STARTTLS", "STARTTLS", left("STARTTLS"));
  if (reply.code !== 220) {
    if (must) throw trouble(server, "STARTTLS", `STARTTLS was answered ${reply.code}`, reply);
    return;
  }
  await connection.encrypt(tlsOptions(server), left("TLS handshake"));
  // What was offered in clear text does not count any more (RFC 3207 4.2).
  await hello(connection, server, left);
}

function tlsOptions({ endpoint, implicitTls, tls, tlsName, secureContext }: Server) {
  const host = tlsName ?? ("host" in endpoint ? endpoint.host : "localhost");
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
  if (!connection.isEncrypted && !isLocal) throw trouble(server, "AUTH", "no TLS, so the credentials are not sent");
  const { user, password } = credentials;
  const { auth } = connection.extensions;
  const step = { name: server.name, step: "AUTH" };
  const say = (line: string): Promise<ServerReply> => connection.askOne(line, "AUTH", left("AUTH"));
  if (auth.includes("PLAIN")) {
    demand(await say(`AUTH PLAIN ${base64(`\0${user}\0${password}`)}`), 235, step);
  } else if (auth.includes("LOGIN")) {
    demand(await say("AUTH LOGIN"), 334, step);
    demand(await say(base64(user)), 334, step);
    demand(await say(base64(password)), 235, step);
  } else throw trouble(server, "AUTH", "credentials are configured, but neither AUTH PLAIN nor LOGIN is offered");
}

const base64 = (text: string): string => Buffer.from(text).toString("base64");

function demand(reply: ServerReply, code: number, where: { name: string; step: string }): void {
  if (reply.code !== code) throw new Broken(where, "said", { what: `was answered ${reply.code}`, said: reply });
}

function trouble({ name }: Server, step: string, what: string, said?: ServerReply): Unavailable {
  return new Broken({ name, step }, said ? "said" : step === "STARTTLS" ? "tls" : "ours", {
    what,
    ...(said && { said }),
  });
}
