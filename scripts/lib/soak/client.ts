/**
 * A sending server: one mail at a time, again and again until it is taken or refused for good. It knows what it was told, and where it was told
 * nothing after the final dot it counts that, because such a mail may be there already when it comes again.
 */
import { connect, type Socket } from "node:net";
import type { SoakMail } from "./mails.ts";

export interface Fate {
  readonly mail: SoakMail;
  /** open: nobody has said yes or no for good yet. */
  state: "open" | "taken" | "refused";
  attempts: number;
  /** How often the connection was lost, or silent, after the final dot. */
  unanswered: number;
  /** What was said last. */
  said: string;
}

export const openFate = (mail: SoakMail): Fate => ({ mail, state: "open", attempts: 0, unanswered: 0, said: "" });

const REPLY_MS = 20_000;
const REPLY = /^(?:\d{3}-[^\n]*\n)*(\d{3})[ \r][^\n]*\n/;

/** One attempt on one connection of its own. Never throws; what was said is in the fate. */
export async function attempt(port: number, fate: Fate): Promise<void> {
  fate.attempts += 1;
  const talk = openTalk(port);
  let dotted = false;
  try {
    const steps = [
      undefined,
      "EHLO mx.stranger.example\r\n",
      "MAIL FROM:<writer@stranger.example> BODY=8BITMIME\r\n",
      `RCPT TO:<${fate.mail.recipient}>\r\n`,
      "DATA\r\n",
    ];
    for (const step of steps) {
      const { code, text } = await talk.say(step);
      if (code >= 400) return judge(fate, code, text);
    }
    dotted = true;
    const { code, text } = await talk.say(stuffed(fate.mail.content));
    dotted = false;
    judge(fate, code, text);
  } catch (error) {
    if (dotted) fate.unanswered += 1;
    fate.said = (error as Error).message;
  } finally {
    talk.end();
  }
}

/** 5xx is for good, but not when the server is only on its way down. */
function judge(fate: Fate, code: number, text: string): void {
  fate.said = text.trim();
  if (code >= 200 && code < 300) fate.state = "taken";
  if (code >= 500) fate.state = "refused";
}

const stuffed = (content: Buffer): Buffer =>
  Buffer.concat([Buffer.from(content.toString("latin1").replace(/^\./gm, ".."), "latin1"), Buffer.from(".\r\n")]);

function openTalk(port: number) {
  const socket: Socket = connect({ port, host: "127.0.0.1", noDelay: true });
  let heard = "";
  let over: string | undefined;
  let wake = (): void => {};
  socket.on("data", (piece: Buffer) => {
    heard += piece.toString("latin1");
    wake();
  });
  socket.on("error", (error: NodeJS.ErrnoException) => {
    over = error.code ?? error.message;
  });
  socket.on("close", () => {
    over ??= "the connection is lost";
    wake();
  });
  const reply = async (): Promise<{ code: number; text: string }> => {
    const endMs = performance.now() + REPLY_MS;
    for (;;) {
      const found = REPLY.exec(heard);
      if (found) {
        heard = heard.slice(found[0].length);
        return { code: Number(found[1]), text: found[0] };
      }
      if (over !== undefined) throw new Error(over);
      if (performance.now() > endMs) throw new Error("silence");
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, endMs - performance.now() + 1);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  };
  return {
    say(bytes: string | Buffer | undefined) {
      if (bytes !== undefined) socket.write(bytes);
      return reply();
    },
    end: () => void socket.destroy(),
  };
}
