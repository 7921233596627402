import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** A line to a port of this machine that is so many milliseconds long, each way. */
export async function delayedTo(port: number, delayMs: number): Promise<{ port: number; close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const pour = (from: Socket, to: Socket): void => {
    sockets.add(from);
    from.on("data", (piece) => void setTimeout(() => to.write(piece), delayMs));
    from.on("close", () => void setTimeout(() => to.destroy(), delayMs));
    from.on("error", () => to.destroy());
    from.setNoDelay(true);
  };
  const server = createServer((near) => {
    const far = connect(port, "127.0.0.1");
    pour(near, far);
    pour(far, near);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (!address || typeof address === "string") throw new Error("no port");
  return {
    port: address.port,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
