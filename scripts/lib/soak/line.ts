/** A line to a port of this machine that can be slowed or cut while it is used. */
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

export interface Line {
  readonly port: number;
  slow(delayMs: number): void;
  cut(isCut: boolean): void;
  close(): Promise<void>;
}

export async function openLine(to: number): Promise<Line> {
  const sockets = new Set<Socket>();
  let delayMs = 0;
  let isCut = false;
  const pour = (from: Socket, into: Socket): void => {
    sockets.add(from);
    // Through the timer also when there is no delay: what is later written may not come earlier.
    let last = 0;
    from.on("data", (piece) => {
      const at = Math.max(performance.now() + delayMs, last);
      last = at;
      setTimeout(() => into.write(piece), Math.max(0, at - performance.now()));
    });
    from.on("close", () => {
      sockets.delete(from);
      into.destroy();
    });
    from.on("error", () => into.destroy());
    from.setNoDelay(true);
  };
  const server = createServer((near) => {
    if (isCut) return void near.destroy();
    const far = connect(to, "127.0.0.1");
    pour(near, far);
    pour(far, near);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (!address || typeof address === "string") throw new Error("no port");
  const hangUp = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: address.port,
    slow(ms) {
      delayMs = ms;
    },
    cut(now) {
      isCut = now;
      if (now) hangUp();
    },
    async close() {
      hangUp();
      server.close();
      await once(server, "close");
    },
  };
}
