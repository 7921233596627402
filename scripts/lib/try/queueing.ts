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
import { setTimeout as sleep } from "node:timers/promises";
import { freePort, listening } from "./named.ts";
import { type Ran, run } from "./run.ts";
import type { Scenario } from "./scenarios.ts";

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
const OUR_HOST = "198.51.100.40";
const GONE = "gone@example.com";
const HELD_WORD = "forbidden-word";
const PATIENCE_MS = 30_000;

async function soon(isSo: () => boolean | Promise<boolean>): Promise<boolean> {
  const until = Date.now() + PATIENCE_MS;
  while (!(await isSo())) {
    if (Date.now() > until) return false;
    await sleep(250);
  }
  return true;
}

const mail = ["--helo", "host.stranger.example", "--from", "me@stranger.example", "--to", "alice@example.com"];
const held = ["--h-Subject", `about a ${HELD_WORD}`];

export const queueing: readonly Scenario[] = [
  {
    title: "queue: answered at once, put off by the next hop, delivered by the next attempt",
    door: "queue",
    swaks: mail,
    code: "250",
    says: "queued - id ",
    async follows(house, { id, messageId }) {
      if (!(await soon(() => house.has(messageId)))) return "it did not arrive";
      const life = async (): Promise<string> => (await house.consentry("trace", id)).stdout;
      const isTold = await soon(async () => /delayed[\s\S]*greylisted[\s\S]*handed-over/.test(await life()));
      return isTold ? undefined : "the ledger does not say that it was put off, and then taken";
    },
  },
  {
    title: "bounce: refused for good by the next hop, and its sender is told by a mail",
    door: "queue",
    swaks: ["--helo", "mail.example.com", "--xclient", `ADDR=${OUR_HOST}`, "--from", "boss@example.com", "--to", GONE],
    code: "250",
    says: "queued - id ",
    async follows(house, { id }) {
      const report = `Final-Recipient: rfc822; ${GONE}\r\nAction: failed\r\nStatus: 5.1.1`;
      if (!(await soon(() => house.has(report)))) return "no report came";
      const { stdout } = await house.consentry("trace", id);
      return stdout.includes("bounced") ? undefined : "the ledger does not say that it bounced";
    },
  },
  {
    title: "hold: what a rule holds is kept, and consentry hold list says why and until when",
    door: "queue",
    swaks: [...mail, ...held],
    code: "250",
    says: "queued - id ",
    async follows(house, { id, messageId }) {
      const lists = async (): Promise<string> => (await house.consentry("hold", "list")).stdout;
      if (!(await soon(async () => (await lists()).includes(id)))) return "it is not listed";
      if (!(await lists()).includes("content/prohibited")) return "the rule is not named";
      return house.has(messageId) ? "it was delivered" : undefined;
    },
  },
  {
    title: "hold and release: consentry hold release ID --by li, and it goes to whom it was for",
    door: "queue",
    swaks: [...mail, ...held],
    code: "250",
    says: "queued - id ",
    async follows(house, { id, messageId }) {
      if (!(await soon(async () => (await house.consentry("hold", "release", id, "--by", "li")).status === 0))) {
        return "it could not be released";
      }
      if (!(await soon(() => house.has(messageId)))) return "it did not arrive";
      const { stdout } = await house.consentry("trace", id);
      return stdout.includes("done by li") ? undefined : "the ledger does not say who released it";
    },
  },
];
