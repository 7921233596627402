/**
 * A process that does harm, of one kind, to a port, until it is killed: `node attacker.ts KIND PORT`. It comes from 127.0.0.2, so that bounds for
 * an address are its own. Prints a line once it is at it.
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";

const [kind = "", portText = ""] = process.argv.slice(2);
const FROM = "127.0.0.2";
const HOLD = 90;

const open = (): Socket => {
  const socket = connect({ port: Number(portText), host: "127.0.0.1", localAddress: FROM });
  socket.on("error", () => undefined);
  return socket;
};

/** Holds connections; one that is lost is opened again. */
function hold(count: number, use: (socket: Socket) => () => void): void {
  const one = (): void => {
    const socket = open();
    const stop = use(socket);
    socket.once("close", () => {
      stop();
      setTimeout(one, 50);
    });
  };
  for (let each = 0; each < count; each += 1) one();
}

const everyTenth = (socket: Socket, text: string) => () => {
  let at = 0;
  const timer = setInterval(() => {
    if (!socket.destroyed) socket.write(text[at % text.length] ?? "");
    at += 1;
  }, 100);
  return () => clearInterval(timer);
};
const nothing = (): void => undefined;

const ENVELOPE =
  "EHLO h.stranger.example\r\nMAIL FROM:<a@stranger.example>\r\nRCPT TO:<b@example.com>\r\nDATA\r\nSubject: x\r\n\r\n";

const KINDS: Readonly<Record<string, () => void>> = {
  /** Commands, a byte at a time. */
  "slow-loris": () => hold(HOLD, (socket) => everyTenth(socket, "NOOP without an end ")()),
  /** Mails, a byte at a time. */
  "byte-at-a-time": () =>
    hold(HOLD, (socket) => {
      socket.write(ENVELOPE);
      return everyTenth(socket, "hello\r\n")();
    }),
  /** Connections that say nothing. */
  "half-open": () => hold(HOLD, () => nothing),
  /** Connections that come and go, as fast as five can. */
  flood: () =>
    hold(5, (socket) => {
      socket.once("data", () => socket.destroy());
      return nothing;
    }),
  /** Thousands of commands in one piece, and nobody who reads the answers. */
  pipelines: () =>
    hold(5, (socket) => {
      socket.write("EHLO h.stranger.example\r\n");
      socket.write("RSET\r\nVRFY x\r\nMAIL FROM:<a@stranger.example>\r\n".repeat(20_000));
      return nothing;
    }),
  /** A header block and a body that cost as much as they can. */
  "odd-mails": () =>
    hold(5, (socket) => {
      socket.write(
        `${ENVELOPE.replace("\r\n\r\n", "\r\n")}${"X-A: =?utf-8?q?=41?=\r\n".repeat(900)}\r\n${"a\r\n".repeat(50_000)}.\r\nQUIT\r\n`,
      );
      return nothing;
    }),
};

const attack = KINDS[kind];
if (!attack) throw new Error(`kinds: ${Object.keys(KINDS).join(", ")}`);
const first = open();
await once(first, "connect");
first.destroy();
attack();
console.log("at it");
