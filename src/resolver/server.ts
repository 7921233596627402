/**
 * One DNS server: questions over UDP, over TCP when the answer does not fit (RFC 7766). Sixteen connected sockets with ports the
 * kernel chose are taken in turn and renewed, so that an answer cannot be forged by guessing sixteen bits.
 */
import { randomInt } from "node:crypto";
import { createSocket, type Socket } from "node:dgram";
import { connect } from "node:net";
import type { RecordType } from "../kit/names.ts";
import { decodeMessage, encodeQuestion, type Message, TYPE_CODES } from "./packet.ts";

const SOCKETS = 16;
/** A socket is replaced after so many questions. */
const QUESTIONS_PER_SOCKET = 2000;
const TCP_AT_ONCE_MAX = 256;
const FORMERR = 1;
const NOTIMP = 4;

export interface ServerAddress {
  readonly host: string;
  readonly port: number;
}

export interface Question {
  /** On the wire (packet.ts: encodeName). */
  readonly wire: Buffer;
  /** In lower case. */
  readonly name: string;
  readonly type: RecordType;
}

export interface DnsServer {
  /** Asks; gives up, rejecting, when the signal fires. @throws Error for anything that is no answer */
  ask(question: Question, signal: AbortSignal): Promise<Message>;
  close(): void;
}

export function openDnsServer(address: ServerAddress): DnsServer {
  const sockets: (UdpSocket | undefined)[] = Array.from({ length: SOCKETS });
  let turn = 0;
  let tcpAtOnce = 0;
  /** It once choked on EDNS. */
  let plain = false;

  const socketFor = (): UdpSocket => {
    turn = (turn + 1) % SOCKETS;
    const old = sockets[turn];
    if (old && !old.worn()) return old;
    old?.retire();
    const fresh = openUdp(address);
    sockets[turn] = fresh;
    return fresh;
  };
  const overTcp = async (question: Question, signal: AbortSignal): Promise<Message> => {
    if (tcpAtOnce >= TCP_AT_ONCE_MAX) throw new Error("too many long answers at once");
    tcpAtOnce += 1;
    try {
      return await askTcp(address, question, signal);
    } finally {
      tcpAtOnce -= 1;
    }
  };
  return {
    async ask(question, signal) {
      let message = await socketFor().ask(question, { edns: !plain, signal });
      if (!plain && (message.rcode === FORMERR || message.rcode === NOTIMP)) {
        plain = true;
        message = await socketFor().ask(question, { edns: false, signal });
      }
      return message.truncated ? overTcp(question, signal) : message;
    },
    close() {
      for (const socket of sockets) socket?.retire();
    },
  };
}

interface UdpSocket {
  ask(question: Question, how: { edns: boolean; signal: AbortSignal }): Promise<Message>;
  worn(): boolean;
  /** Closes as soon as nobody waits. */
  retire(): void;
}

interface Waiting {
  readonly question: Question;
  resolve(message: Message): void;
  reject(error: Error): void;
}

const answers = (message: Message, { name, type }: Question): boolean =>
  message.name === name && message.type === TYPE_CODES[type];

function openUdp({ host, port }: ServerAddress): UdpSocket {
  const waiting = new Map<number, Waiting>();
  let asked = 0;
  let retired = false;
  let broken: Error | undefined;
  const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
  const ready = connected(socket, { host, port });
  ready.catch((error: Error) => {
    broken = error;
  });
  socket.unref();
  socket.on("message", (bytes) => {
    const message = decodeMessage(bytes);
    const who = message && waiting.get(message.id);
    if (who && answers(message, who.question)) who.resolve(message);
  });
  // A refused port is told to whoever asks next: all that wait here wait for the same server.
  socket.on("error", (error) => {
    for (const each of [...waiting.values()]) each.reject(error);
  });
  let closed = false;
  const closeWhenIdle = (): void => {
    if (!retired || closed || waiting.size > 0) return;
    closed = true;
    socket.close();
  };
  return {
    worn: () => asked >= QUESTIONS_PER_SOCKET || broken !== undefined,
    retire() {
      retired = true;
      closeWhenIdle();
    },
    async ask(question, { edns, signal }) {
      asked += 1;
      await ready;
      signal.throwIfAborted();
      const id = freeId(waiting);
      try {
        return await new Promise<Message>((resolve, reject) => {
          waiting.set(id, { question, resolve, reject });
          signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
          socket.send(encodeQuestion(id, question.wire, { type: question.type, edns }), (error) => {
            if (error) reject(error);
          });
        });
      } finally {
        waiting.delete(id);
        closeWhenIdle();
      }
    },
  };
}

function freeId(taken: ReadonlyMap<number, unknown>): number {
  for (;;) {
    const id = randomInt(0x10000);
    if (!taken.has(id)) return id;
  }
}

const connected = (socket: Socket, { host, port }: ServerAddress): Promise<void> =>
  new Promise((resolve, reject) => {
    socket.once("connect", () => resolve());
    socket.once("error", reject);
    socket.connect(port, host);
  });

/** One question on a connection of its own; an answer's length is at most 65,535 bytes (RFC 1035 4.2.2). */
function askTcp({ host, port }: ServerAddress, question: Question, signal: AbortSignal): Promise<Message> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true });
    let bytes = Buffer.alloc(0);
    const end = (error?: Error, message?: Message): void => {
      signal.removeEventListener("abort", stop);
      socket.destroy();
      if (message) resolve(message);
      else reject(error ?? new Error("a broken answer"));
    };
    const stop = (): void => end(signal.reason as Error);
    signal.addEventListener("abort", stop, { once: true });
    const query = encodeQuestion(randomInt(0x10000), question.wire, { type: question.type, edns: false });
    socket.on("error", (error) => end(error));
    socket.on("close", () => end(new Error("closed without an answer")));
    socket.on("connect", () =>
      socket.write(Buffer.concat([Buffer.from([query.length >> 8, query.length & 255]), query])),
    );
    socket.on("data", (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      if (bytes.length < 2 || bytes.length < 2 + bytes.readUInt16BE(0)) return;
      const message = decodeMessage(bytes.subarray(2, 2 + bytes.readUInt16BE(0)));
      const fits = message?.id === query.readUInt16BE(0) && answers(message, question);
      end(undefined, fits ? message : undefined);
    });
  });
}
