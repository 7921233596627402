import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { createSecureContext, type SecureContext } from "node:tls";
import type { Config } from "../config/schema.ts";
import { Misuse } from "../kit/trouble.ts";
import { maildirNextHop } from "./maildir.ts";
import type { NextHop } from "./next-hop.ts";
import type { Endpoint } from "./smtp/connection.ts";
import type { Credentials, Server, TlsUse } from "./smtp/greet.ts";
import { smtpNextHop } from "./smtp/next-hop.ts";

export interface NextHopOptions {
  /** Our name: in EHLO, in file names. */
  readonly hostname: string;
  /** Bound of each step of a handover, ms. */
  readonly timeoutMs: number;
  /** Connections open at the same time, ≥ 1. A mail holds one from its first recipient to its end. */
  readonly connectionsMax: number;
  /** A kept connection is closed when unused for so long, ms. */
  readonly idleMs: number;
  /** A kept connection is closed after so many mails, ≥ 1. */
  readonly mailsPerConnectionMax: number;
  readonly tls: TlsUse;
  /** Certificates to trust instead of the system's, PEM. */
  readonly caFile?: string;
  /** For AUTH at the next hop; sent over TLS or to this machine only. */
  readonly credentials?: Credentials;
  /** maildir: keys of the addresses that exist; absent: all do. */
  readonly mailboxes?: readonly string[];
}

/** What a server needs of it. */
export type ServerOptions = Pick<NextHopOptions, "hostname" | "tls" | "caFile" | "credentials">;

const FORMS = [
  "smtp://host:port (port 25 when left out)",
  "smtps://host:port (TLS from the start; 465)",
  "lmtp://host:port (24)",
  "smtp+unix:/path/to/socket",
  "lmtp+unix:/path/to/socket",
  "maildir:/path/to/directory",
];

/**
 * Opens the next hop that a URL names. Nothing is connected yet.
 * @throws Misuse for a form that is not known, credentials inside the URL, or a caFile that cannot be used
 */
export function openNextHop(to: string, options: NextHopOptions): NextHop {
  const [, scheme = "", rest = ""] = /^([a-z+]+):(.*)$/is.exec(to) ?? [];
  const path = rest.replace(/^\/\/(?=\/)/, "");
  switch (scheme.toLowerCase()) {
    case "maildir":
      if (path === "" || path.startsWith("//")) throw unusable();
      return maildirNextHop(path, options);
    case "mx":
      // While our client waits there is one next hop that answers; mx: may mean many.
      throw new Misuse("nextHop.to: mx: needs nextHop.mode: queue; with mode: proxy it is one of", FORMS);
    default:
      return smtpNextHop(serverOf(to, options), options);
  }
}

/**
 * The server that a URL names.
 * @throws Misuse as openNextHop
 */
export function serverOf(to: string, options: ServerOptions): Server {
  const [, given = "", rest = ""] = /^([a-z+]+):(.*)$/is.exec(to) ?? [];
  const scheme = given.toLowerCase();
  const path = rest.replace(/^\/\/(?=\/)/, "");
  switch (scheme) {
    case "smtp+unix":
    case "lmtp+unix":
      if (!/^\/[^/]/.test(path)) throw unusable();
      return server(scheme, { path }, options);
    case "smtp":
    case "smtps":
    case "lmtp":
      return server(scheme, endpointOf(to), options);
    default:
      throw unusable();
  }
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = { "smtp:": 25, "smtps:": 465, "lmtp:": 24 };

function endpointOf(to: string): { host: string; port: number } {
  const url = URL.canParse(to) ? new URL(to) : undefined;
  if (!url?.hostname || url.port === "0" || !/^\/?$/.test(url.pathname) || url.search || url.hash) throw unusable();
  if (url.username || url.password) {
    throw new Misuse("nextHop.to must not hold a user or password: it is shown in logs", ["use nextHop.credentials"]);
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  return { host, port: url.port ? Number(url.port) : (DEFAULT_PORTS[url.protocol] ?? 25) };
}

const server = (scheme: string, endpoint: Endpoint, options: ServerOptions): Server => ({
  name: nameOf(scheme, endpoint),
  endpoint,
  lmtp: scheme.startsWith("lmtp"),
  implicitTls: scheme === "smtps",
  tls: options.tls,
  secureContext: trust(options.caFile),
  hostname: options.hostname,
  credentials: options.credentials,
});

function nameOf(scheme: string, endpoint: Endpoint): string {
  if ("path" in endpoint) return `${scheme}:${endpoint.path}`;
  const { host, port } = endpoint;
  return `${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** What is trusted: the system's certificates, or those of a file. @throws Misuse */
export function trust(caFile: string | undefined): SecureContext {
  if (caFile === undefined) return createSecureContext();
  try {
    const ca = readFileSync(caFile);
    // createSecureContext takes a file without any certificate in silence.
    new X509Certificate(ca);
    return createSecureContext({ ca });
  } catch (error) {
    throw new Misuse(`nextHop.caFile cannot be used: ${caFile}`, [
      error instanceof Error ? error.message : "unreadable",
    ]);
  }
}

/** Without the URL itself, which may hold a password. */
const unusable = (): Misuse => new Misuse("nextHop.to is none of the accepted forms:", FORMS);

/** The next hop of a configuration. @throws Misuse */
export function nextHopOf({ nextHop, hostname }: Config): NextHop {
  const { to, user, passwordFile, caFile, mailboxes, mode, ...rest } = nextHop;
  if (mode === "queue" && /^mx:/i.test(to)) return manyHops(to);
  return openNextHop(to, {
    ...rest,
    hostname,
    ...(caFile !== undefined && { caFile }),
    ...(mailboxes && { mailboxes }),
    ...credentialsOf(user, passwordFile),
  });
}

/** Behind a queue mail goes many ways, and there is no one server that could be asked. */
const manyHops = (name: string): NextHop => ({
  name,
  begin() {
    throw new Error(`a mail went straight to ${name}, past the queue`);
  },
  ping: async () => undefined,
  close: async () => undefined,
});

/** Both are there, or nothing is. @throws Misuse when the file cannot be read */
export function credentialsOf(
  user: string | undefined,
  passwordFile: string | undefined,
): { credentials?: Credentials } {
  if (user === undefined || passwordFile === undefined) return {};
  return { credentials: { user, password: readPassword(passwordFile) } };
}

function readPassword(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch (error) {
    throw new Misuse(`nextHop.passwordFile: ${(error as Error).message}`);
  }
}
