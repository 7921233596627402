/** One SMTP conversation with our own door, as a stranger would have it. Nothing is ever sent: it ends before DATA. */
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { ReplyReader, type ServerReply } from "../../delivery/smtp/replies-in.ts";
import { withDeadline } from "../../kit/deadline.ts";

export interface Dialogue {
  readonly greeting: ServerReply;
  /** @throws Unavailable when no answer comes in time, Error when the server hangs up */
  say(line: string): Promise<ServerReply>;
  close(): void;
}

export interface Target {
  readonly host: string;
  readonly port: number;
  /** The address we come from; absent: whichever the system takes. */
  readonly from?: string;
  readonly implicitTls: boolean;
  /** Bytes before anything else: a PROXY header. */
  readonly before?: string;
}

/** For one answer, ms. */
const ANSWER_MS = 10_000;

/** @throws Error when nobody listens there */
export async function openDialogue({ host, port, from, implicitTls, before = "" }: Target): Promise<Dialogue> {
  const tcp = connectTcp({ host, port, ...(from !== undefined && { localAddress: from }) });
  if (before !== "") tcp.write(before);
  const socket = implicitTls ? connectTls({ socket: tcp, rejectUnauthorized: false }) : tcp;
  const answers = answersOf(socket);
  const answer = (what: string): Promise<ServerReply> => withDeadline(answers(), ANSWER_MS, "next-hop", what);
  try {
    return {
      greeting: await answer("the greeting"),
      say(line) {
        socket.write(`${line}\r\n`);
        return answer(line);
      },
      close: () => void socket.destroy(),
    };
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

/** One call, one reply; all that follow fail once the connection is gone. */
function answersOf(socket: Socket): () => Promise<ServerReply> {
  const reader = new ReplyReader();
  const heard: ServerReply[] = [];
  let waiting: { resolve: (reply: ServerReply) => void; reject: (error: Error) => void } | undefined;
  let gone: Error | undefined;
  const over = (error: Error): void => {
    gone ??= error;
    waiting?.reject(gone);
    waiting = undefined;
  };
  socket.on("data", (piece: Buffer) => {
    try {
      heard.push(...reader.push(piece));
    } catch (error) {
      return over(error as Error);
    }
    const next = waiting && heard.shift();
    if (!next) return;
    waiting?.resolve(next);
    waiting = undefined;
  });
  socket.on("error", over);
  socket.on("close", () => over(new Error("the server hung up")));
  return () => {
    const next = heard.shift();
    if (next) return Promise.resolve(next);
    if (gone) return Promise.reject(gone);
    return new Promise((resolve, reject) => {
      waiting = { resolve, reject };
    });
  };
}
