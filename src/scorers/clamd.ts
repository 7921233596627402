/**
 * clamd by its INSTREAM command: the mail in counted chunks over a connection of its own, one line back. One deadline for
 * the whole question, waiting for a free place included.
 */
import { once } from "node:events";
import { connect, type NetConnectOpts, type Socket } from "node:net";
import { withDeadline } from "../kit/deadline.ts";
import { Unavailable } from "../kit/trouble.ts";
import type { Content } from "../mail/content.ts";
import { createGate } from "./gate.ts";

export interface ClamdOptions {
  readonly to: NetConnectOpts;
  /** For the whole question, ms. */
  readonly timeoutMs: number;
  /** Larger mails are not sent to it; at most its StreamMaxLength. */
  readonly bytesMax: number;
  readonly connectionsMax: number;
}

export type ScanResult = { readonly found?: string; readonly tooLarge?: true };

const WAITING_MAX = 1_000;
const ANSWER_CHARS_MAX = 1_000;

export function createClamd({ to, timeoutMs, bytesMax, connectionsMax }: ClamdOptions) {
  const pass = createGate(connectionsMax, WAITING_MAX);
  return {
    async scan(content: Content): Promise<ScanResult> {
      if (content.bytes > bytesMax) return { tooLarge: true };
      let socket: Socket | undefined;
      let given = false;
      const work = pass(async () => {
        if (given) return {};
        socket = connect(to);
        return ask(socket, content);
      });
      try {
        return await withDeadline(work, timeoutMs, "scorer", "clamd");
      } catch (error) {
        if (error instanceof Unavailable) throw error;
        throw new Unavailable("scorer", `clamd: ${(error as Error).message}`, error);
      } finally {
        given = true;
        socket?.destroy();
      }
    },
  };
}

async function ask(socket: Socket, content: Content): Promise<ScanResult> {
  const answered = readAnswer(socket);
  // Whoever sends is told by the same error; the answer may also come before all is sent.
  answered.catch(() => undefined);
  const sending = send(socket, content);
  sending.catch(() => undefined);
  return parseAnswer(await answered);
}

async function send(socket: Socket, content: Content): Promise<void> {
  socket.write("zINSTREAM\0");
  let answered = false;
  socket.once("data", () => {
    answered = true;
  });
  for await (const piece of content.read()) {
    if (piece.length === 0) continue;
    if (answered || socket.destroyed) return;
    socket.write(lengthOf(piece.length));
    if (!socket.write(piece)) await once(socket, "drain");
  }
  socket.write(lengthOf(0));
}

function lengthOf(bytes: number): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes);
  return length;
}

function readAnswer(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    socket.setEncoding("latin1");
    socket.on("data", (piece: string) => {
      text += piece;
      const end = text.indexOf("\0");
      if (end >= 0) resolve(text.slice(0, end));
      else if (text.length > ANSWER_CHARS_MAX) reject(new Error("its answer is too long"));
    });
    socket.once("error", reject);
    socket.once("close", () => reject(new Error("it hung up without an answer")));
  });
}

/** "stream: OK", "stream: Win.Test.EICAR_HDB-1 FOUND", "INSTREAM size limit exceeded. ERROR" */
function parseAnswer(answer: string): ScanResult {
  if (/^stream: OK\s*$/.test(answer)) return {};
  const found = /^stream: (.+) FOUND\s*$/.exec(answer)?.[1];
  if (found !== undefined) return { found: found.replace(/[^\x21-\x7e]/g, "?").slice(0, 100) };
  if (/size limit exceeded/.test(answer)) return { tooLarge: true };
  throw new Error(`it answered "${answer.replace(/[^\x20-\x7e]/g, "?").slice(0, 100)}"`);
}
