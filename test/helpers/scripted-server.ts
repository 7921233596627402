import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ScriptedTalk } from "./scripted-talk.ts";

/** Where in the talk an answer is due. `dot`: after the mail; `connect`: the greeting. */
export type Step =
  | "connect"
  | "EHLO"
  | "HELO"
  | "LHLO"
  | "STARTTLS"
  | "AUTH"
  | "XFORWARD"
  | "MAIL"
  | "RCPT"
  | "DATA"
  | "dot"
  | "RSET"
  | "NOOP"
  | "QUIT";

/**
 * What the server does instead of answering well: another reply (several lines with \r\n between), `stall` (nothing, ever),
 * `close`, a reply and then the end of the connection, `deaf`: it answers well and reads no further, or `mute`: it answers well and
 * says no more.
 */
export type Answer = string | "stall" | "close" | "deaf" | "mute" | { readonly say: string; readonly close: true };

export interface ScriptOptions {
  /** Lines of the EHLO answer. */
  readonly extensions?: readonly string[];
  readonly lmtp?: boolean;
  /** One answer for every time, or a list for the first times (undefined in it: the good answer). */
  readonly answers?: Partial<Record<Step, Answer | readonly (Answer | undefined)[]>>;
  /** Sends replies in pieces of so many bytes. */
  readonly pieceBytes?: number;
  /** For STARTTLS, or from the start with `implicitTls`. PEM. */
  readonly tls?: { readonly key: string; readonly cert: string };
  readonly implicitTls?: boolean;
  /** Listens there instead of at a free port of 127.0.0.1. */
  readonly at?: { readonly host: string; readonly port: number };
  /** Takes so many connections at a time; what more there are hear 421. */
  readonly openMax?: number;
  /** Answers to a mail come so much later, ms. */
  readonly dotDelayMs?: number;
  /** Listens on a unix socket instead. */
  readonly unix?: boolean;
}

export interface ReceivedMail {
  readonly from: string;
  readonly recipients: readonly string[];
  /** Dots unstuffed. */
  readonly body: Buffer;
  /** The XFORWARD lines since the mail before. */
  readonly xforward: readonly string[];
}

export interface ScriptedServer {
  readonly port: number;
  /** With `unix`. */
  readonly path: string;
  /** Connections made so far. */
  readonly connections: number;
  /** Connections open now. */
  readonly open: number;
  /** Every command line, all connections together. */
  readonly commands: readonly string[];
  /** What each read gave, as text: shows what was written together. */
  readonly reads: readonly string[];
  readonly mails: readonly ReceivedMail[];
  /** Ends all connections; the server stays. */
  drop(): void;
  stop(): Promise<void>;
}

/** A mail server on loopback that answers well except where the script says otherwise. */
export async function startScripted(options: ScriptOptions = {}): Promise<ScriptedServer> {
  const sockets = new Set<Socket>();
  const seen = { connections: 0, commands: [] as string[], reads: [] as string[], mails: [] as ReceivedMail[] };
  const counts = new Map<Step, number>();
  const answerFor = (step: Step): Answer | undefined => {
    const answer = options.answers?.[step];
    const count = counts.get(step) ?? 0;
    counts.set(step, count + 1);
    return typeof answer === "string" || answer === undefined || "say" in answer ? answer : answer[count];
  };
  const server = createServer((socket) => {
    seen.connections += 1;
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    if (options.openMax !== undefined && sockets.size > options.openMax) {
      socket.on("error", () => {});
      socket.end("421 4.7.0 too many connections\r\n");
      return;
    }
    new ScriptedTalk(socket, options, { seen, answerFor }).start();
  });
  const directory = options.unix ? await mkdtemp(join(tmpdir(), "scripted-")) : "";
  const path = options.unix ? join(directory, "socket") : "";
  await new Promise<void>((resolve) => {
    if (options.unix) server.listen(path, resolve);
    else server.listen(options.at?.port ?? 0, options.at?.host ?? "127.0.0.1", resolve);
  });
  const drop = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: options.unix ? 0 : (server.address() as AddressInfo).port,
    path,
    get connections() {
      return seen.connections;
    },
    get open() {
      return sockets.size;
    },
    commands: seen.commands,
    reads: seen.reads,
    mails: seen.mails,
    drop,
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      drop();
      await closed;
      if (directory) await rm(directory, { recursive: true });
    },
  };
}
