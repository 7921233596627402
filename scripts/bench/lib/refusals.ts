/** Attempts to relay without leave, as fast as they are refused: MAIL, RCPT to a stranger's domain, RSET, in one piece. A process of its own: PORT ATTEMPTS. */
import { connect } from "node:net";

const [port = "0", wanted = "0"] = process.argv.slice(2);
const CONNECTIONS = 20;
const ATTEMPT = "MAIL FROM:<writer@stranger.example>\r\nRCPT TO:<victim@elsewhere.example>\r\nRSET\r\n";
/** So many are on their way at a time on each connection. */
const AHEAD = 5;

let refused = 0;
const beganNs = process.hrtime.bigint();

function visit(): void {
  const socket = connect({ port: Number(port), host: "127.0.0.1", noDelay: true });
  let rest = "";
  let begun = false;
  socket.on("data", (piece: Buffer) => {
    const lines = (rest + piece.toString("latin1")).split("\r\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line.startsWith("220")) socket.write("EHLO client.stranger.example\r\n");
      else if (line.startsWith("250 ") && !begun) {
        begun = true;
        socket.write(ATTEMPT.repeat(AHEAD));
      } else if (/^5\d\d /.test(line)) {
        refused += 1;
        if (refused >= Number(wanted)) finish();
        socket.write(ATTEMPT);
      } else if (line.startsWith("421")) socket.destroy();
    }
  });
  // A server that has heard too much from one connection ends it; whoever floods comes again.
  socket.on("close", () => visit());
  socket.on("error", () => undefined);
}

function finish(): never {
  const seconds = Number(process.hrtime.bigint() - beganNs) / 1e9;
  process.stdout.write(`${JSON.stringify({ refused, seconds })}\n`);
  process.exit(0);
}

for (let n = 0; n < CONNECTIONS; n += 1) visit();
