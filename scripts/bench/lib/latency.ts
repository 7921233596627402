/** One client, one connection, one mail after the other: what each mail takes from MAIL to the final 250. */
import { connect, type NetConnectOpts } from "node:net";

/** @param text a mail, lines ended by LF, none of them beginning with a dot. @returns milliseconds of each mail */
export async function latencies(to: NetConnectOpts, mails: number, text: string): Promise<number[]> {
  const socket = connect({ ...to, noDelay: true });
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
  const content = `${text.replaceAll("\n", "\r\n")}.`;
  const times: number[] = [];
  for (let i = 0; i < mails; i += 1) {
    const began = performance.now();
    await say("MAIL FROM:<writer@stranger.example>");
    await say("RCPT TO:<reader@example.com>");
    await say("DATA");
    await say(content);
    times.push(performance.now() - began);
  }
  socket.end();
  return times;
}

export function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}
