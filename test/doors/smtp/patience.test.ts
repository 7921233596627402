/** Clients that keep just within the timeout of silence, and get nowhere. */
import { connect, type Socket } from "node:net";
import { setTimeout as slowly } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { startService } from "../../helpers/service.ts";
import { openSmtp } from "../../helpers/smtp-dialogue.ts";

const LIMIT_MS = 400;
const TICK_MS = 20;

/** Sends a text byte by byte, again and again, until the other side hangs up. @returns what it heard, and after how long */
function trickle(port: number, opening: string, text: string): Promise<{ heard: string; ms: number }> {
  const socket: Socket = connect(port, "127.0.0.1");
  const began = performance.now();
  let heard = "";
  let at = 0;
  socket.on("data", (chunk: Buffer) => {
    heard += chunk.toString("latin1");
  });
  socket.on("error", () => undefined);
  socket.write(opening);
  const timer = setInterval(() => {
    socket.write(text[at % text.length] ?? "");
    at += 1;
  }, TICK_MS);
  onTestFinished(() => void socket.destroy());
  return new Promise((resolve) => {
    socket.once("close", () => {
      clearInterval(timer);
      resolve({ heard, ms: performance.now() - began });
    });
  });
}

describe("a client that sends a byte now and then", () => {
  it("has so long for a whole mail and no longer; it is written down, and its place is free", async () => {
    const service = await startService({ limits: { dataTimeoutMs: LIMIT_MS } });
    const opening =
      "EHLO host.stranger.example\r\nMAIL FROM:<a@stranger.example>\r\nRCPT TO:<b@example.com>\r\nDATA\r\nSubject: x\r\n\r\n";
    const { heard, ms } = await trickle(service.smtp, opening, "hello\r\n");
    expect(heard).toMatch(/\r\n421.4\.4\.2 the mail takes too long to come/);
    expect(ms).toBeGreaterThanOrEqual(LIMIT_MS);
    const [entry] = await service.entriesSoon(1);
    expect([entry?.event, entry?.recipient, entry?.reply?.slice(0, 9)]).toEqual([
      "deferred",
      "b@example.com",
      "421 4.4.2",
    ]);
    expect([service.mails(), service.leftovers()]).toEqual([[], []]);
  });

  it("has so long for a whole command and no longer", async () => {
    const service = await startService({ limits: { idleTimeoutMs: LIMIT_MS } });
    const { heard } = await trickle(service.smtp, "EHLO host.stranger.example\r\n", "NOOP and a text that never ends ");
    expect(heard).toMatch(/\r\n421.4\.4\.2 no whole command for too long/);
  });

  it("is not taken for one who sends whole commands slowly", async () => {
    const service = await startService({ limits: { idleTimeoutMs: LIMIT_MS } });
    const smtp = await openSmtp(service.smtp);
    const began = performance.now();
    while (performance.now() - began < 2 * LIMIT_MS) {
      expect(await smtp.say("NOOP")).toMatch(/^250/);
      await slowly(LIMIT_MS / 4);
    }
    smtp.end();
  });
});

describe("a client that pipelines and reads nothing", () => {
  it("is cut off, and costs no memory that grows", async () => {
    const service = await startService();
    const socket = connect(service.smtp, "127.0.0.1");
    onTestFinished(() => void socket.destroy());
    socket.on("error", () => undefined);
    const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    socket.pause();
    socket.write("EHLO host.stranger.example\r\n");
    const piece = "NOOP\r\n".repeat(10_000);
    for (let written = 0; written < 20; written += 1) socket.write(piece);
    // Only who reads sees the end of a connection.
    setTimeout(() => socket.resume(), 500);
    await closed;
    const other = await openSmtp(service.smtp);
    expect(other.greeting).toMatch(/^220/);
    other.end();
  });
});
