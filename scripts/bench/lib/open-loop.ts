/** Mails at a fixed rate over so many connections: what each takes from the moment it was due, also when no connection was free then. */
import { connect, type Socket } from "node:net";

export interface OfferedLoad {
  readonly perSecond: number;
  readonly mails: number;
  readonly connections: number;
  /** Lines ended by LF, none of them begins with a dot. */
  readonly text: string;
}

/** @returns milliseconds of each mail. @throws Error when the server says no */
export async function openLoop(port: number, { perSecond, mails, connections, text }: OfferedLoad): Promise<number[]> {
  const content = Buffer.from(`${text.replaceAll("\n", "\r\n")}.\r\n`, "latin1");
  const free = await Promise.all(Array.from({ length: connections }, () => openTalk(port)));
  const all = [...free];
  const due: number[] = [];
  const times: number[] = [];
  let trouble: Error | undefined;
  let busy = 0;
  const go = (): void => {
    while (due.length > 0 && free.length > 0) {
      const since = due.shift() as number;
      const talk = free.pop() as Talk;
      busy += 1;
      mail(talk, content)
        .then(
          () => void times.push(performance.now() - since),
          (error: Error) => {
            trouble = error;
          },
        )
        .finally(() => {
          busy -= 1;
          free.push(talk);
          go();
        });
    }
  };
  const beganMs = performance.now();
  for (let sent = 0; sent < mails && !trouble; ) {
    const untilNow = Math.min(mails, Math.floor(((performance.now() - beganMs) / 1000) * perSecond));
    for (; sent < untilNow; sent += 1) due.push(beganMs + (sent / perSecond) * 1000);
    go();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  while ((busy > 0 || due.length > 0) && !trouble) await new Promise((resolve) => setTimeout(resolve, 5));
  for (const { socket } of all) socket.destroy();
  if (trouble) throw trouble;
  return times;
}

interface Talk {
  readonly socket: Socket;
  say(bytes: string | Buffer): Promise<void>;
}

async function mail(talk: Talk, content: Buffer): Promise<void> {
  await talk.say("MAIL FROM:<writer@stranger.example>\r\n");
  await talk.say("RCPT TO:<reader@example.com>\r\n");
  await talk.say("DATA\r\n");
  await talk.say(content);
}

async function openTalk(port: number): Promise<Talk> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  let heard = "";
  let settle: ((error?: Error) => void) | undefined;
  const look = (): void => {
    const found = /^(?:\d{3}-[^\n]*\n)*(\d{3})[ \r][^\n]*\n/.exec(heard);
    if (!found || !settle) return;
    heard = heard.slice(found[0].length);
    const done = settle;
    settle = undefined;
    done(Number(found[1]) < 400 ? undefined : new Error(`the server says ${found[0].trim()}`));
  };
  const reply = (): Promise<void> =>
    new Promise((resolve, reject) => {
      settle = (error) => (error ? reject(error) : resolve());
      look();
    });
  socket.on("data", (piece: Buffer) => {
    heard += piece.toString("latin1");
    look();
  });
  socket.on("error", (error) => settle?.(error));
  socket.on("close", () => settle?.(new Error("the server hung up")));
  await reply();
  const say = (bytes: string | Buffer): Promise<void> => {
    const answered = reply();
    socket.write(bytes);
    return answered;
  };
  await say("EHLO client.stranger.example\r\n");
  return { socket, say };
}
