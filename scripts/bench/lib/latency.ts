/** One client, one connection, one mail after the other: what each mail takes from MAIL to the final 250. */
import { connect } from "node:net";

/** @returns milliseconds of each mail */
export async function latencies(port: number, mails: number, bytes: number): Promise<number[]> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  let heard = "";
  let wake = (): void => {};
  socket.on("data", (piece: Buffer) => {
    heard += piece.toString("latin1");
    wake();
  });
  socket.on("close", () => wake());
  const reply = async (): Promise<void> => {
    for (;;) {
      const found = /^(?:\d{3}-.*\r\n)*(\d{3}) .*\r\n/.exec(heard);
      if (found) {
        heard = heard.slice(found[0].length);
        if (Number(found[1]) >= 400) throw new Error(`the server says ${found[0].trim()}`);
        return;
      }
      if (socket.destroyed) throw new Error("the server hung up");
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  const say = (line: string): Promise<void> => {
    socket.write(`${line}\r\n`);
    return reply();
  };
  await reply();
  await say("EHLO client.stranger.example");
  const body = `${"x".repeat(70)}\r\n`.repeat(Math.ceil(bytes / 72));
  const text = `From: writer@stranger.example\r\nDate: ${new Date().toUTCString()}\r\nSubject: minutes\r\n\r\n${body}.`;
  const times: number[] = [];
  for (let i = 0; i < mails; i += 1) {
    const began = performance.now();
    await say("MAIL FROM:<writer@stranger.example>");
    await say("RCPT TO:<reader@example.com>");
    await say("DATA");
    await say(text);
    times.push(performance.now() - began);
  }
  socket.end();
  return times;
}

export function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}
