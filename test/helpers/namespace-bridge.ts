/**
 * Runs a mail server in the network namespace it was itself started in, and leads connections in and out by unix sockets, which
 * know no such borders. Arguments: the socket to listen on, the server's address and port, the port behind it, the socket that
 * one leads to, and the server's command line. A connection begins with a line of JSON that says who comes: {"from": ip, "to": ip, "port": n}.
 */
import { spawn } from "node:child_process";
import { connect, createServer, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

const [listen = "", host = "", port = "0", nextPort = "0", nextSocket = "", command = "", ...args] =
  process.argv.slice(2);
const START_TRIES = 1000;

const server = spawn(command, args, { stdio: "inherit" });
server.once("exit", (code) => process.exit(code ?? 1));
for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => server.kill("SIGTERM"));

function join(a: Socket, b: Socket): void {
  for (const [one, other] of [
    [a, b],
    [b, a],
  ] as const) {
    one.on("error", () => other.destroy());
    one.on("close", () => other.destroy());
    one.pipe(other);
  }
}

/** Out: whatever the server behind connects to. */
createServer((socket) => join(socket, connect(nextSocket))).listen(Number(nextPort), "127.0.0.1");

/** In: the first line says from where. */
const door = createServer((socket) => {
  socket.on("error", () => socket.destroy());
  let text = "";
  socket.on("data", function first(piece: Buffer) {
    text += piece.toString("latin1");
    const end = text.indexOf("\n");
    if (end < 0) return;
    socket.off("data", first).pause();
    const { from, to, port: asked } = JSON.parse(text.slice(0, end)) as { from: string; to: string; port: number };
    const rest = text.slice(end + 1);
    const inside = connect({ host: to, port: asked, localAddress: from });
    inside.setNoDelay(true);
    if (rest) inside.write(rest, "latin1");
    join(socket, inside);
  });
});

async function answers(): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(Number(port), host, () => resolve(true));
    probe.once("error", () => resolve(false));
    probe.once("connect", () => probe.destroy());
  });
}

for (let i = 0; i < START_TRIES && !(await answers()); i += 1) await delay(20);
door.listen(listen);
