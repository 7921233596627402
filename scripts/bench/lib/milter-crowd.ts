/** Many MTA connections to one milter at a time, each in the middle of a mail: what they cost in memory. */
import { mkdirSync } from "node:fs";
import { connect, type NetConnectOpts, type Socket } from "node:net";
import { join as joinPath } from "node:path";
import { SMFIC, SMFIR } from "../../../src/doors/milter/constants.ts";
import { encodeFrame, type Frame, FrameDecoder, uint32 } from "../../../src/doors/milter/frames.ts";
import { startConsentry } from "./filters.ts";
import { memoryMb, peakMemoryMb } from "./processes.ts";

export const CROWD = 500;
export const CROWD_MAIL_BYTES = 300_000;
/** Before them, so that the code is compiled. */
const WARM = 20;

const CHUNK = Buffer.from(`${"x".repeat(70)}\r\n`.repeat(900));
const FRAME_BYTES_MAX = 1_048_576;

export interface Crowded {
  /** Mails accepted. */
  readonly accepted: number;
  /** Most memory held, beyond what was held before they came. */
  readonly tookMb: number;
  readonly peakMb: number;
}

/** Half a thousand MTAs in the middle of a mail each, before a consentry that has seen little yet. */
export async function crowd(work: string): Promise<Crowded> {
  const dir = joinPath(work, "crowd");
  mkdirSync(dir);
  const filter = await startConsentry(dir, "unix");
  try {
    await (await gather(filter.to, WARM, CROWD_MAIL_BYTES / 100)).finish();
    const before = memoryMb(filter.pid);
    const accepted = await (await gather(filter.to, CROWD, CROWD_MAIL_BYTES)).finish();
    const peakMb = peakMemoryMb(filter.pid);
    return { accepted, tookMb: peakMb - before, peakMb };
  } finally {
    await filter.stop();
  }
}

interface Crowd {
  /** Ends every mail. @returns how many were accepted */
  finish(): Promise<number>;
}

interface Member {
  readonly socket: Socket;
  /** The next frame. */
  hear(): Promise<Frame>;
  say(command: number, ...parts: (Buffer | string)[]): void;
}

/** Opens `count` connections and tells each a mail of `bytes`, up to but without its end. */
async function gather(to: NetConnectOpts, count: number, bytes: number): Promise<Crowd> {
  const members = await Promise.all(Array.from({ length: count }, () => join(to)));
  await Promise.all(members.map((member, number) => tell(member, number, bytes)));
  return {
    async finish() {
      const answers = await Promise.all(
        members.map(async ({ say, hear, socket }) => {
          say(SMFIC.BODYEOB);
          const { command } = await hear();
          socket.end();
          return command === SMFIR.CONTINUE || command === SMFIR.ACCEPT;
        }),
      );
      return answers.filter(Boolean).length;
    },
  };
}

function join(to: NetConnectOpts): Promise<Member> {
  const socket = connect(to);
  const decoder = new FrameDecoder(FRAME_BYTES_MAX);
  let wake = (): void => {};
  socket.on("data", (piece: Buffer) => {
    decoder.push(piece);
    wake();
  });
  socket.on("close", () => wake());
  const hear = async (): Promise<Frame> => {
    for (;;) {
      const frame = decoder.next();
      if (frame) return frame;
      if (socket.destroyed) throw new Error("the milter hung up");
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  const say = (command: number, ...parts: (Buffer | string)[]) => void socket.write(encodeFrame(command, ...parts));
  return new Promise((resolve, reject) => {
    socket.once("connect", () => resolve({ socket, hear, say }));
    socket.once("error", reject);
  });
}

/** As Postfix does with a milter that answers MAIL and RCPT only. */
async function tell({ say, hear, socket }: Member, number: number, bytes: number): Promise<void> {
  say(SMFIC.OPTNEG, uint32(6), uint32(0x1ff), uint32(0x1f_ffff));
  await hear();
  say(SMFIC.CONNECT, "client.stranger.example\0" + "4", Buffer.from([0x9c, 0x59]), "203.0.113.9\0");
  say(SMFIC.HELO, "client.stranger.example\0");
  say(SMFIC.MAIL, "<writer@stranger.example>\0");
  await accepted(hear);
  say(SMFIC.RCPT, "<reader@example.com>\0");
  await accepted(hear);
  say(SMFIC.HEADER, "From\0 writer@stranger.example\0");
  say(SMFIC.HEADER, `Date\0 ${new Date().toUTCString()}\0`);
  say(SMFIC.HEADER, `Subject\0 mail ${number}\0`);
  say(SMFIC.EOH);
  for (let sent = 0; sent < bytes; sent += CHUNK.length) {
    say(SMFIC.BODY, CHUNK);
    if (socket.writableNeedDrain) await new Promise<void>((resolve) => socket.once("drain", () => resolve()));
  }
}

async function accepted(hear: Member["hear"]): Promise<void> {
  const { command } = await hear();
  if (command !== SMFIR.CONTINUE) throw new Error(`the milter refuses: ${String.fromCharCode(command)}`);
}
