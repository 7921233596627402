import { createServer, type Socket } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { startService } from "../helpers/service.ts";
import { openTalk } from "../helpers/smtp-talk.ts";

/** How much longer this next hop takes over a mailbox that exists: a harvester's stop-watch could tell. */
const SLOWER_MS = 150;
const BEAT_MS = 500;
const ROUNDS = 5;

/** A next hop with one mailbox, ann. It answers RCPT for others at once. */
async function startHop(): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    const say = (text: string) => socket.write(`${text}\r\n`);
    say("220 hop");
    socket.on("data", (bytes) => {
      for (const line of bytes.toString("latin1").split("\r\n").slice(0, -1)) {
        if (/^RCPT TO:<ann@/i.test(line)) setTimeout(() => say("250 2.1.5 ok"), SLOWER_MS);
        else if (/^RCPT/i.test(line)) say("550 5.1.1 unknown");
        else say("250 ok");
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  return typeof address === "object" && address ? address.port : 0;
}

const median = (times: readonly number[]): number =>
  [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;

describe("a harvester with a stop-watch", () => {
  it("cannot tell mailboxes that exist from others once he is suspected, though the next hop's own time would", async () => {
    const port = await startHop();
    const service = await startService({
      nextHop: { to: `smtp://127.0.0.1:${port}` },
      // Suspected from the first one on, and then only ever slowed down.
      rules: {
        default: "off",
        "conduct/harvesting": {
          mode: "enforce",
          unknownMin: 1,
          unknownShare: 0.01,
          delayMs: BEAT_MS,
          delayMaxMs: BEAT_MS,
          turnAwayAt: 100,
          blockAt: 100,
        },
      },
    });
    const talk = await openTalk(service.smtp);
    await talk.sayAll("EHLO mx.sender.example", "XCLIENT ADDR=203.0.113.9", "EHLO mx.sender.example", "MAIL FROM:<>");
    const ask = async (local: string): Promise<number> => {
      const before = performance.now();
      await talk.say(`RCPT TO:<${local}@example.com>`);
      return performance.now() - before;
    };
    await ask("nobody");
    const times = { existing: [] as number[], unknown: [] as number[] };
    for (let round = 0; round < ROUNDS; round += 1) {
      await talk.sayAll("RSET", "MAIL FROM:<>");
      times.unknown.push(await ask(`nobody${round}`));
      times.existing.push(await ask("ann"));
    }
    expect(median(times.unknown)).toBeGreaterThanOrEqual(BEAT_MS - 5);
    expect(median(times.existing)).toBeGreaterThanOrEqual(BEAT_MS - 5);
    expect(Math.abs(median(times.existing) - median(times.unknown))).toBeLessThan(SLOWER_MS / 2);
  });
});
