/** Connections that greet and then say nothing, until this process is killed. Prints a line when all of them stand. */
import { once } from "node:events";
import { connect } from "node:net";

const [port = 0, count = 0] = process.argv.slice(2).map(Number);
const AT_ONCE = 200;

async function open(): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "data");
  socket.write("EHLO idle.stranger.example\r\n");
  await once(socket, "data");
  socket.on("error", () => undefined);
}

for (let held = 0; held < count; held += AT_ONCE) {
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, count - held) }, open));
}
console.log("all of them stand");
