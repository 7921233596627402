import { connect, type Socket } from "node:net";

/** A client that speaks SMTP line by line, exactly as the test says, and hears whole replies. */
export interface SmtpDialogue {
  /** Sends a line; the reply, its lines joined by LF. Empty: the server hung up instead. */
  say(line: string): Promise<string>;
  /** Envelope and content of one mail; the replies to each part, up to the first that refuses the mail. */
  mail(mail: { from: string; to: readonly string[]; content: string }): Promise<string[]>;
  /** Waits for the server to hang up. */
  readonly closed: Promise<void>;
  end(): void;
}

/** Connects and hears the greeting, which comes back as `greeting`. */
export async function openSmtp(port: number): Promise<SmtpDialogue & { readonly greeting: string }> {
  const socket = connect(port, "127.0.0.1");
  const hear = replies(socket);
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  const greeting = await hear();
  const say = (line: string): Promise<string> => {
    if (!socket.destroyed) socket.write(`${line}\r\n`);
    return hear();
  };
  return {
    greeting,
    say,
    async mail({ from, to, content }) {
      const heard: string[] = [];
      for (const line of [`MAIL FROM:<${from}>`, ...to.map((one) => `RCPT TO:<${one}>`), "DATA"]) {
        heard.push(await say(line));
        if (!/^[23]/.test(heard.at(-1) ?? "") && !line.startsWith("RCPT")) return heard;
      }
      heard.push(await say(`${content.replace(/^\./gm, "..")}\r\n.`));
      return heard;
    },
    closed,
    end: () => void socket.destroy(),
  };
}

function replies(socket: Socket): () => Promise<string> {
  let text = "";
  let over = false;
  let wake = (): void => {};
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString("latin1");
    wake();
  });
  const stop = (): void => {
    over = true;
    wake();
  };
  socket.on("close", stop);
  socket.on("error", stop);
  return async () => {
    for (;;) {
      const reply = /^(?:\d{3}-.*\r\n)*\d{3}(?: .*)?\r\n/.exec(text)?.[0];
      if (reply !== undefined) {
        text = text.slice(reply.length);
        return reply.trimEnd().replaceAll("\r\n", "\n");
      }
      if (over) return "";
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
}
