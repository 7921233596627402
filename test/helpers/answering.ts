import { createServer, type Socket } from "node:net";
import { onTestFinished } from "vitest";

export interface Answering {
  readonly port: number;
  /** What each connection has said, as latin1. */
  readonly heard: readonly string[];
  /** Connections open at one time, the most there were. */
  readonly openMax: number;
}

/** A server on loopback that answers each connection as told; stopped when the test is done. */
export async function answering(onData: (socket: Socket, heard: string) => void): Promise<Answering> {
  const heard: string[] = [];
  const sockets = new Set<Socket>();
  let openMax = 0;
  const server = createServer((socket) => {
    const index = heard.push("") - 1;
    sockets.add(socket);
    openMax = Math.max(openMax, sockets.size);
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
    socket.on("data", (piece: Buffer) => {
      heard[index] += piece.toString("latin1");
      onData(socket, heard[index] ?? "");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  return {
    heard,
    port: typeof address === "object" && address ? address.port : 0,
    get openMax() {
      return openMax;
    },
  };
}
