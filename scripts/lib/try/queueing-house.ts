/**
 * A consentry of its own that takes custody, for the scenarios about the queue: the one being tried may pass mail on while its clients
 * wait. Its next hop refuses every mail once, as greylisting servers do, and one recipient for good.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, listening } from "./named.ts";
import { type Ran, run } from "./run.ts";

export interface QueueingHouse {
  /** host:port of its door. */
  readonly server: string;
  consentry(...words: readonly string[]): Promise<Ran>;
  /** Has the next hop taken a mail with this in it? */
  has(text: string): boolean;
  stop(): Promise<void>;
}

/** @param house the checkout */
export async function startQueueingHouse(house: string): Promise<QueueingHouse> {
  const hop = await startGreylisting();
  const dir = mkdtempSync(join(tmpdir(), "consentry-try-"));
  const port = await freePort();
  const path = join(dir, "consentry.yaml");
  const config = [
    "hostname: relay.example.net",
    `listeners: [{ door: smtp, listen: "127.0.0.1:${port}" }]`,
    "localDomains: [example.com]",
    "trustedProxies: [127.0.0.1]",
    `relayNetworks: [${OUR_HOST}]`,
    `dataDir: ${join(dir, "var")}`,
    `nextHop: { to: "smtp://127.0.0.1:${hop.port}", mode: queue }`,
    "queue: { retrySeconds: [2], jitter: 0, reserveMb: 1 }",
    `rules: { "content/prohibited": { patterns: [{ name: "a word", pattern: "${HELD_WORD}" }] } }`,
    "log: { level: warn }",
  ];
  writeFileSync(path, `${config.join("\n")}\n`);
  const child = spawn("bin/consentry", ["serve", "--config", path], {
    cwd: house,
    stdio: ["ignore", "ignore", "inherit"],
  });
  await listening(port);
  return {
    server: `127.0.0.1:${port}`,
    consentry: (...words) => run(["bin/consentry", ...words, "--config", path], { cwd: house }),
    has: (text) => hop.mails.some((mail) => mail.includes(text)),
    async stop() {
      const gone = once(child, "exit");
      child.kill("SIGTERM");
      await gone;
      hop.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Takes a mail at the second try. */
async function startGreylisting(): Promise<{ port: number; mails: string[]; stop(): void }> {
  const mails: string[] = [];
  const seen = new Set<string>();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    greylist(socket, (mail) => {
      const id = /^Message-Id: (.*)$/im.exec(mail)?.[1] ?? mail;
      if (seen.has(id)) mails.push(mail);
      const isTaken = seen.has(id);
      seen.add(id);
      return isTaken ? "250 2.0.0 taken" : "451 4.7.1 greylisted, try again";
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const stop = (): void => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return { port: (server.address() as AddressInfo).port, mails, stop };
}

function greylist(socket: Socket, judge: (mail: string) => string): void {
  let heard = "";
  let inMail = false;
  const say = (line: string): void => void socket.write(`${line}\r\n`);
  say("220 greylisting.example ESMTP");
  socket.on("data", (piece: Buffer) => {
    heard += piece.toString("latin1");
    for (;;) {
      const end = inMail ? "\r\n.\r\n" : "\r\n";
      const at = heard.indexOf(end);
      if (at < 0) return;
      const text = heard.slice(0, at);
      heard = heard.slice(at + end.length);
      if (inMail) say(judge(text));
      else if (text.includes(`TO:<${GONE}>`)) say("550 5.1.1 nobody of that name");
      else say(/^DATA/i.test(text) ? "354 go on" : "250 2.0.0 ok");
      inMail = !inMail && /^DATA/i.test(text);
    }
  });
}

/** Of ours, so that its mail's senders may be told. */
export const OUR_HOST = "198.51.100.40";
export const GONE = "gone@example.com";
export const HELD_WORD = "forbidden-word";
