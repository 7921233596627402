/**
 * Two nodes and a Postfix at three loopback addresses, with MX from a DNS of their own: mail crosses, nodes are killed in the
 * middle of it, and nothing that was answered 250 is lost.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { startDnsServer, zoneOf } from "../../scripts/lib/dns/server.ts";
import { type Postfix, postfixIsHere, startPostfix } from "../helpers/postfix.ts";
import { freePort, type Program, startNode } from "../helpers/process.ts";
import { openSmtp } from "../helpers/smtp-dialogue.ts";
import { tempDir } from "../helpers/temp.ts";
import { until } from "../helpers/wait.ts";

const CLI = fileURLToPath(new URL("../../src/commands/index.ts", import.meta.url));
const MAILS = 150;
const SESSIONS = 10;

/** Where the nodes and Postfix take mail: one port, two addresses. */
const [NODE_TWO, POSTFIX] = ["127.0.0.2", "127.0.0.3"];

const isFreeAt = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });

async function portOfAll(): Promise<number> {
  return until("a port is free at both addresses", async () => {
    const port = await freePort();
    return (await isFreeAt(NODE_TWO, port)) && (await isFreeAt(POSTFIX, port)) ? port : undefined;
  });
}

interface Node {
  readonly config: string;
  program: Program;
}

async function startAgain(node: Pick<Node, "config">): Promise<Program> {
  const program = await startNode(CLI, ["serve", "--config", node.config]);
  await program.waitForLine(/"listening"/, 60_000);
  return program;
}

async function node(name: string, lines: readonly string[]): Promise<Node> {
  const dir = tempDir();
  mkdirSync(join(dir, "data"));
  const config = join(dir, "consentry.yaml");
  const common = [
    `hostname: ${name}`,
    `dataDir: ${join(dir, "data")}`,
    "rules: { default: off }",
    "log: { level: info, format: json }",
    "limits: { drainMs: 2000 }",
  ];
  const queue =
    'queue: { mxNetworks: ["127.0.0.0/8"], retrySeconds: [1], destinationRetrySeconds: [1], jitter: 0, reserveMb: 1, reportLanguage: en }';
  writeFileSync(config, `${[...common, queue, ...lines].join("\n")}\n`);
  return { config, program: await startAgain({ config }) };
}

const killed = async (one: Node): Promise<void> => {
  one.program.signal("SIGKILL");
  await one.program.exited;
};

/** Sends mails until all of them were answered 250; who hangs up is called again. */
async function sendAll(port: number, to: (id: number) => string, answered: Set<string>): Promise<void> {
  const waiting = Array.from({ length: MAILS }, (_, i) => i);
  const session = async (): Promise<void> => {
    while (waiting.length > 0) {
      const client = await openSmtp(port).catch(() => undefined);
      if (!client) {
        await delay(100);
        continue;
      }
      await client.say("EHLO pc.shop.example").catch(() => "");
      for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) {
        const content = `From: a@shop.example\r\nTo: ${to(id)}\r\nSubject: id-${id}\r\n\r\n${"x".repeat(60)}\r\n`;
        const heard = await client.mail({ from: "a@shop.example", to: [to(id)], content }).catch(() => [""]);
        if (heard.length === 4 && heard[3]?.startsWith("250")) answered.add(`id-${id}`);
        else {
          waiting.push(id);
          break;
        }
      }
      client.end();
    }
  };
  await Promise.all(Array.from({ length: SESSIONS }, session));
}

const idsIn = (mails: readonly Buffer[]): string[] =>
  mails.flatMap((mail) => /^Subject: (id-\d+)/m.exec(mail.toString("latin1"))?.[1] ?? []);

async function world() {
  const port = await portOfAll();
  const postfix: Postfix = await startPostfix({
    domain: "far.test",
    users: ["b", "c"],
    mainCf: ["virtual_alias_domains = via.test", "virtual_alias_maps = inline:{c@via.test=c@far.test}"],
    masterCf: [`${POSTFIX}:${port} inet n - n - - smtpd`],
  });
  onTestFinished(() => postfix.stop());
  const dns = await startDnsServer({
    zone: zoneOf([
      "far.test MX 10 pf.far.test",
      `pf.far.test A ${POSTFIX}`,
      "via.test MX 10 two.test",
      `two.test A ${NODE_TWO}`,
      "nomail.test MX 0 .",
    ]),
  });
  onTestFinished(() => dns.stop());
  const names = `dns: { servers: ["${dns.address}"] }`;
  const door = await freePort();
  const one = await node("one.test", [
    names,
    `listeners: [{ door: smtp, listen: "127.0.0.1:${door}" }]`,
    'relayNetworks: ["127.0.0.1"]',
    `nextHop: { to: "mx:${port}", mode: queue }`,
  ]);
  // What is for via.test comes to node two by MX, which has it at Postfix, as mail for far.test.
  const two = await node("two.test", [
    names,
    `listeners: [{ door: smtp, listen: "${NODE_TWO}:${port}" }]`,
    "localDomains: [via.test]",
    `nextHop: { to: "mx:${port}", mode: queue }`,
    `routes: [{ domains: [via.test], to: "smtp://${POSTFIX}:${port}" }]`,
  ]);
  onTestFinished(async () => {
    await one.program.stop();
    await two.program.stop();
  });
  return { one, two, postfix, door };
}

describe.skipIf(!postfixIsHere())("two nodes and a Postfix (skipped without postfix, or not as root)", () => {
  it("mail crosses by MX though both nodes are killed in turn, and nothing is lost", async () => {
    const { one, two, postfix, door } = await world();
    const answered = new Set<string>();
    const arrived = async (): Promise<Set<string>> =>
      new Set(idsIn([...(await postfix.mails("b")), ...(await postfix.mails("c"))]));
    // Every other mail goes straight to Postfix, the others by node two.
    const sending = sendAll(door, (id) => (id % 2 ? "b@far.test" : "c@via.test"), answered);
    await until("some came straight", async () => (await postfix.mails("b")).length > MAILS / 20, 30_000);
    await killed(one);
    one.program = await startAgain(one);
    await until("some came by node two", async () => (await postfix.mails("c")).length > MAILS / 20, 30_000);
    await killed(two);
    await sending;
    two.program = await startAgain(two);
    expect(answered.size).toBe(MAILS);
    await until("all that was answered 250 is there", async () => [...answered].every(inOf(await arrived())), 60_000);
    expect([...(await arrived())].every((id) => answered.has(id))).toBe(true);
  }, 180_000);

  it("a mail for a domain that takes none comes back to its sender", async () => {
    const { postfix, door } = await world();
    const client = await openSmtp(door);
    await client.say("EHLO pc.far.test");
    const content =
      "From: b@far.test\r\nTo: x@nomail.test\r\nSubject: back\r\nMessage-ID: <back@far.test>\r\n\r\nx\r\n";
    expect((await client.mail({ from: "b@far.test", to: ["x@nomail.test"], content })).at(-1)).toMatch(/^250/);
    client.end();
    const [report] = await postfix.delivered("b", 1, 30_000);
    const text = String(report);
    expect(text).toMatch(/^Return-Path: <>$/m);
    expect(text).toMatch(/^In-Reply-To: <back@far\.test>$/m);
    expect(text).toMatch(
      /Final-Recipient: rfc822; x@nomail\.test\nAction: failed\nStatus: 5\.1\.10\nDiagnostic-Code: x-consentry;/,
    );
  }, 120_000);
});

const inOf =
  (ids: ReadonlySet<string>) =>
  (id: string): boolean =>
    ids.has(id);
