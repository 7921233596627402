/** A raw SMTP client for tests: sends exactly the bytes it is given and hears whole replies. */
import { connect, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { onTestFinished } from "vitest";

/** One reply as it stood on the wire. */
export interface HeardReply {
  readonly code: number;
  /** "5.7.1", or "" where there is none. */
  readonly enhanced: string;
  /** Lines without code, enhanced code and line end. */
  readonly lines: readonly string[];
  /** All of it, as sent, lines joined by LF. */
  readonly text: string;
}

export interface SmtpTalk {
  readonly greeting: HeardReply;
  /** Sends bytes as they are. */
  send(bytes: string | Buffer): void;
  /** The next reply. @throws when the server hangs up instead, or in five seconds says nothing */
  hear(): Promise<HeardReply>;
  /** A line, and the reply to it. */
  say(line: string): Promise<HeardReply>;
  /** Lines one by one; the last reply. @throws when one before it is no 2xx or 3xx */
  sayAll(...lines: readonly string[]): Promise<HeardReply>;
  /** The text of a mail, lines ended by \n, dots stuffed, and the reply to its end. DATA is said before. */
  data(text: string | Buffer): Promise<HeardReply>;
  /** Everything from here on until the server hangs up. */
  rest(): Promise<string>;
  /** STARTTLS has been answered with 220: encrypts. Any certificate will do. */
  upgrade(): Promise<void>;
  /** The connection is gone. */
  readonly closed: Promise<void>;
  /** Vanishes, without QUIT. */
  vanish(): void;
  /** Resets the connection (RST) instead of ending it. */
  reset(): void;
}

const HEAR_MS = 5000;
/** Code, then "-" for more lines to come. */
const REPLY = /^(?:\d{3}-[^\n]*\n)*\d{3}(?: [^\n]*)?\n/;

/** Connects to a port of 127.0.0.1 and hears the greeting; vanishes when the test is done. */
export async function openTalk(port: number, before: string | Buffer = ""): Promise<SmtpTalk> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  if (before.length > 0) socket.write(before);
  const wire = createWire(socket);
  onTestFinished(() => void wire.socket().destroy());
  const say = async (line: string): Promise<HeardReply> => {
    wire.send(`${line}\r\n`);
    return wire.hear();
  };
  const sayAll = async (...lines: readonly string[]): Promise<HeardReply> => {
    for (const line of lines.slice(0, -1)) {
      const reply = await say(line);
      if (reply.code >= 400) throw new Error(`${line}: ${reply.text}`);
    }
    return say(lines.at(-1) ?? "");
  };
  return {
    greeting: await wire.hear(),
    send: wire.send,
    hear: wire.hear,
    say,
    sayAll,
    data(text) {
      wire.send(dotted(text));
      return wire.hear();
    },
    rest: wire.rest,
    upgrade: wire.upgrade,
    closed: wire.closed,
    vanish: () => void wire.socket().destroy(),
    reset: () => void socket.resetAndDestroy(),
  };
}

/** The text of a mail as the wire has it: CRLF, dots stuffed, the final dot. A Buffer keeps its line ends. */
export function dotted(text: string | Buffer): Buffer {
  const lines = typeof text === "string" ? Buffer.from(text.replace(/\r?\n/g, "\r\n")) : text;
  const stuffed = Buffer.from(lines.toString("latin1").replace(/^\./gm, ".."), "latin1");
  return Buffer.concat([
    stuffed,
    Buffer.from(stuffed.subarray(-2).equals(Buffer.from("\r\n")) ? ".\r\n" : "\r\n.\r\n"),
  ]);
}

function createWire(plain: Socket) {
  let socket: Socket | TLSSocket = plain;
  let text = "";
  let over = false;
  let wake = (): void => {};
  const listen = (): void => {
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
      wake();
    });
    socket.on("error", () => wake());
    socket.on("close", () => {
      over = true;
      wake();
    });
  };
  listen();
  const closed = new Promise<void>((resolve) => plain.once("close", () => resolve()));
  const change = (what: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`nothing in ${HEAR_MS} ms: ${what}`)), HEAR_MS);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  return {
    socket: () => socket,
    closed,
    send: (bytes: string | Buffer) => void socket.write(typeof bytes === "string" ? Buffer.from(bytes, "utf8") : bytes),
    async hear(): Promise<HeardReply> {
      for (;;) {
        const found = REPLY.exec(text)?.[0];
        if (found !== undefined) {
          text = text.slice(found.length);
          return parseReply(found);
        }
        if (over) throw new Error(`the server hung up instead of replying${text && `: ${JSON.stringify(text)}`}`);
        await change(`no reply, only ${JSON.stringify(text)}`);
      }
    },
    async rest(): Promise<string> {
      while (!over) await change("the server does not hang up");
      const rest = text;
      text = "";
      return rest;
    },
    async upgrade(): Promise<void> {
      plain.removeAllListeners("data");
      const secure = connectTls({ socket: plain, rejectUnauthorized: false });
      await new Promise<void>((resolve, reject) => {
        secure.once("secureConnect", resolve);
        secure.once("error", reject);
      });
      socket = secure;
      listen();
    },
  };
}

function parseReply(wire: string): HeardReply {
  const text = wire.replace(/\r\n/g, "\n").trimEnd();
  const lines = text.split("\n");
  const enhanced = /^\d{3}[ -](\d\.\d{1,3}\.\d{1,3})(?: |$)/.exec(text)?.[1] ?? "";
  return {
    code: Number(text.slice(0, 3)),
    enhanced,
    lines: lines.map((line) => {
      const said = line.slice(4);
      return enhanced && said.startsWith(enhanced) ? said.slice(enhanced.length + 1) : said;
    }),
    text,
  };
}
