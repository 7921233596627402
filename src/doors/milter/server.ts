import { chmod } from "node:fs/promises";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { removeStaleSocket } from "../../kit/unix-socket.ts";
import type { NewHandler } from "./handler.ts";
import { type MilterOptions, type MilterSettings, milterSettings } from "./options.ts";
import { type MilterConnection, serveMilter } from "./protocol.ts";

/** Where to listen: TCP (port 0: any free one), or a unix socket with the permissions given (default 0o660). */
export type MilterListen =
  | { readonly host: string; readonly port: number }
  | { readonly path: string; readonly mode?: number };

export interface MilterServer {
  readonly address: { readonly host: string; readonly port: number } | { readonly path: string };
  /** Connections open now. */
  readonly connections: number;
  /** Accepts no more, lets mails in progress finish within `graceMs`, then closes what is left. */
  close(graceMs: number): Promise<void>;
}

export interface MilterServerConfig {
  readonly listen: MilterListen;
  readonly newHandler: NewHandler;
  readonly options?: MilterOptions;
}

const SOCKET_MODE = 0o660;

/**
 * Opens a milter server.
 * @throws what `listen` throws (EADDRINUSE, EACCES …); a socket file is replaced only when nobody listens on it
 */
export async function listenMilter({ listen, newHandler, options }: MilterServerConfig): Promise<MilterServer> {
  const settings = milterSettings(options);
  const open: Open = new Map();
  const server = createServer((socket) => accept(socket, open, () => serveMilter(socket, newHandler, settings)));
  limit(server, settings);
  if ("path" in listen) await removeStaleSocket(listen.path);
  await bind(server, listen);
  server.on("error", (error) => settings.onFault({ kind: "bound", during: "accept", error }));
  if ("path" in listen) await chmod(listen.path, listen.mode ?? SOCKET_MODE);
  return {
    address: "path" in listen ? { path: listen.path } : tcpAddress(server),
    get connections() {
      return open.size;
    },
    close: (graceMs) => close(server, open, graceMs),
  };
}

/** Connections, each with the promise of its end. */
type Open = Map<MilterConnection, Promise<void>>;

function accept(socket: Socket, open: Open, serve: () => MilterConnection): void {
  // Small answers must not wait for the ACK of the one before; on unix sockets this does nothing.
  socket.setNoDelay(true);
  const connection = serve();
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  open.set(
    connection,
    closed.then(() => void open.delete(connection)),
  );
}

/** One connection too many is closed unread; the MTA then does what it is configured to do without this filter. */
function limit(server: Server, settings: MilterSettings): void {
  server.maxConnections = settings.connectionsMax;
  // Otherwise a connection too many goes round among full workers for ever.
  Object.assign(server, { dropMaxConnection: true });
  server.on("drop", () => {
    const error = new Error(`more than ${settings.connectionsMax} connections`);
    settings.onFault({ kind: "bound", during: "accept", error });
  });
}

function bind(server: Server, listen: MilterListen): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen("path" in listen ? { path: listen.path } : { host: listen.host, port: listen.port }, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function tcpAddress(server: Server): { host: string; port: number } {
  const { address, port } = server.address() as AddressInfo;
  return { host: address, port };
}

async function close(server: Server, open: Open, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  const ended = Promise.all([closed, ...open.values()]);
  for (const connection of open.keys()) connection.drain();
  const timer = setTimeout(() => {
    for (const connection of open.keys()) connection.destroy();
  }, graceMs);
  await ended;
  clearTimeout(timer);
}
