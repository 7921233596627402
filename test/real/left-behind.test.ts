/** Processes whose parent is killed, and processes that are started again: for real, with everything that could hold them. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { isAlive, type Serving, startServing } from "../helpers/serving.ts";
import { openSmtp, type SmtpDialogue } from "../helpers/smtp-dialogue.ts";
import { until } from "../helpers/wait.ts";

const DRAIN_MS = 1_000;
/** drainMs, ten seconds to close what is left, and a busy machine. */
const GONE_MS = DRAIN_MS + 10_000 + 15_000;

const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number);
const family = (pid: number): number[] => childrenOf(pid).flatMap((child) => [child, ...family(child)]);

/** Takes connections and never says a word. */
async function startSilence(): Promise<{ readonly port: number; readonly calls: () => number }> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => undefined);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, calls: () => sockets.length };
}

async function talk(relay: Serving, lines: readonly string[]): Promise<SmtpDialogue> {
  const smtp = await openSmtp(relay.port);
  for (const line of ["EHLO host.stranger.example", "MAIL FROM:<a@stranger.example>", ...lines]) await smtp.say(line);
  return smtp;
}

const RCPT = "RCPT TO:<b@example.com>";
const CONTENT =
  "From: <a@stranger.example>\r\nDate: Sat, 01 Aug 2026 10:00:00 +0000\r\nMessage-ID: <1@x.example>\r\n\r\nhello\r\n.";

describe("workers whose supervisor was killed", () => {
  it.each<[string, "proxy" | "queue", string[], string]>([
    ["a client in the middle of a mail that does not go on", "queue", [RCPT, "DATA"], "Subject: and so on"],
    ["a next hop that takes a connection and says nothing", "proxy", [], RCPT],
    ["a delivery to a server that says nothing", "queue", [RCPT, "DATA"], CONTENT],
  ])("end within their time, and so does whoever delivers for them: %s", async (_, mode, lines, last) => {
    const silence = await startSilence();
    const relay = await startServing({
      nextHop: { to: `smtp://127.0.0.1:${silence.port}`, mode },
      limits: { drainMs: DRAIN_MS },
    });
    const held = await Promise.all([talk(relay, lines), talk(relay, lines), talk(relay, lines)]);
    for (const smtp of held) void smtp.say(last).catch(() => undefined);
    if (last !== "Subject: and so on") await until("the next hop is called", () => silence.calls() > 0, 30_000);
    const all = family(relay.program.pid);
    expect(all.length, "two workers, and who delivers").toBe(mode === "queue" ? 3 : 2);
    relay.program.signal("SIGKILL");
    await relay.program.exited;
    await until("nobody is left", () => !all.some(isAlive), GONE_MS);
  });
});

describe("a process that delivers and is killed", () => {
  it("comes back with the configuration in force, whatever the file says by then", async () => {
    const relay = await startServing({ workers: 1, nextHop: { to: "maildir:MAIL", mode: "queue" } });
    const [first = 0] = childrenOf(relay.program.pid);
    relay.write("hostnme: typo\n");
    relay.program.signal("SIGHUP");
    await relay.logged(/^not reloaded/);
    process.kill(first, "SIGKILL");
    const second = await until("another one delivers", () =>
      childrenOf(relay.program.pid).find((pid) => pid !== first),
    );
    const smtp = await talk(relay, [RCPT, "DATA"]);
    expect(await smtp.say(CONTENT)).toMatch(/^250/);
    await until("the mail is delivered", () => relay.delivered().length === 1, 30_000);
    expect(childrenOf(relay.program.pid), "it has not ended meanwhile").toEqual([second]);
  });
});
