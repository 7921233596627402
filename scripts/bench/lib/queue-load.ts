/** Fills a queue that nobody serves, as mails that wait: `node queue-load.ts DIR COUNT BYTES DESTINATION NEXT_AT`. */
import { setTimeout as delay } from "node:timers/promises";
import type { NewMail } from "../../../src/delivery/queue/spool.ts";
import { createIds } from "../../../src/kit/ids.ts";
import { parseAddress } from "../../../src/mail/path.ts";
import { openSpool } from "../../../src/stores/spool/open.ts";

const [dir = "", count = "0", bytes = "0", destination = "", nextAt = "0"] = process.argv.slice(2);
const TOGETHER = 2_000;
const DAY_MS = 86_400_000;

const spool = await openSpool({
  dir,
  timeoutMs: 60_000,
  inlineBytesMax: 1_000_000,
  reserveBytes: 0,
  mailsMax: 100_000_000,
  now: Date.now,
  role: "service",
  wereEntered: async () => new Set(),
});
const ids = createIds({ now: Date.now }, Buffer.alloc(32, 7));
const whole = Buffer.from(
  `Subject: waits\r\n\r\n${"x"
    .repeat(70)
    .concat("\r\n")
    .repeat(Number(bytes) / 72)}`,
);
const content = {
  front: Buffer.alloc(0),
  bytes: whole.length,
  whole,
  changes: { fields: [], additions: [] },
  read: pieces,
};
const sender = {
  address: parseAddress("writer@shop.example") ?? null,
  eightBit: false,
  smtpUtf8: false,
  requireTls: false,
};

async function* pieces(): AsyncGenerator<Buffer> {
  yield whole;
}

function mail(number: number): NewMail {
  const address = parseAddress(`reader${number}@${destination.includes(":") ? "dead.example" : destination}`);
  if (!address) throw new Error("no address");
  const arrivedAt = Date.now();
  const expiresAt = arrivedAt + 5 * DAY_MS;
  return {
    id: ids.sealed(),
    arrivedAt,
    expiresAt,
    session: {
      id: "load",
      door: "smtp",
      role: "mx",
      clientIp: "192.0.2.1",
      clientPort: 1,
      serverIp: "192.0.2.2",
      serverPort: 25,
      helo: "client.example",
      inRelayNetworks: false,
    },
    sender,
    bytes: whole.length,
    recipients: [{ recipient: { address }, state: "waiting", attempts: 1, nextAt: Number(nextAt) || arrivedAt }],
    destinations: [destination],
    lateAt: expiresAt,
  };
}

const began = performance.now();
for (let done = 0; done < Number(count); done += TOGETHER) {
  const size = Math.min(TOGETHER, Number(count) - done);
  const mails = Array.from({ length: size }, (_, at) => mail(done + at));
  await Promise.all(mails.map((each) => spool.arrive(each, content)));
  await Promise.all(mails.map((each) => spool.confirm(each)));
  await delay(0);
}
console.log(`${count} mails in ${((performance.now() - began) / 1000).toFixed(1)} s`);
await spool.close();
