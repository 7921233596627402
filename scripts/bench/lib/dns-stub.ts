/** A DNS server that knows nothing: NXDOMAIN to every question, at once, so that no peer waits for the world. */
import { createSocket } from "node:dgram";
import { once } from "node:events";

export interface DnsStub {
  readonly port: number;
  stop(): Promise<void>;
}

const HEADER_BYTES = 12;
/** QR, RA and RCODE 3. */
const RESPONSE = 0x80;
const NXDOMAIN = 0x83;

export async function startDnsStub(): Promise<DnsStub> {
  const socket = createSocket("udp4");
  socket.on("message", (question, peer) => {
    if (question.length < HEADER_BYTES) return;
    const answer = Buffer.from(question.subarray(0, endOfQuestion(question)));
    answer[2] = RESPONSE | ((question[2] ?? 0) & 0x79);
    answer[3] = NXDOMAIN;
    // One question, no answer, authority or additional record.
    answer.fill(0, 4, HEADER_BYTES);
    answer[5] = 1;
    socket.send(answer, peer.port, peer.address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return { port: socket.address().port, stop: () => new Promise((resolve) => socket.close(() => resolve())) };
}

/** Behind the name, its type and its class. */
function endOfQuestion(question: Buffer): number {
  let at = HEADER_BYTES;
  for (let length = question[at] ?? 0; length > 0; length = question[at] ?? 0) at += length + 1;
  return Math.min(question.length, at + 5);
}
