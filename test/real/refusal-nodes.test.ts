/**
 * Processes of their own that share a store, a next hop that takes note of when it has a mail, and recipients who refuse while
 * advertisements to them are on their way through all of these processes, some of which are killed meanwhile.
 */
import { writeFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { stringify } from "yaml";
import { systemClock } from "../../src/kit/clock.ts";
import { createClientRegister } from "../../src/registers/clients.ts";
import { createConsentRegister } from "../../src/registers/consents.ts";
import { openStore } from "../../src/stores/open.ts";
import { freePort, type Program, startNode } from "../helpers/process.ts";
import { hasRedis, startRedis } from "../helpers/redis.ts";
import { openTalk } from "../helpers/smtp-talk.ts";
import { tempDir } from "../helpers/temp.ts";

const NODES = 3;
const RECIPIENTS = 24;
const SENDERS_EACH = 4;
const TOKEN = "a-token-of-at-least-sixteen";

interface Sink {
  readonly port: number;
  /** Recipients whose advertisement came after they had heard that it was refused. */
  readonly overtaken: string[];
  readonly taken: Map<string, number>;
}

/** Takes every mail, a little late, and looks at the very moment of the final dot who has been told what. */
async function startSink(acknowledged: ReadonlySet<string>): Promise<Sink> {
  const taken = new Map<string, number>();
  const overtaken: string[] = [];
  const serve = (socket: Socket): void => {
    let [recipient, inData, rest] = ["", false, ""];
    const say = (line: string): void => void socket.write(`${line}\r\n`);
    const line = (text: string): void => {
      if (inData && text === ".") {
        inData = false;
        taken.set(recipient, (taken.get(recipient) ?? 0) + 1);
        if (acknowledged.has(recipient)) overtaken.push(recipient);
        setTimeout(() => say("250 2.0.0 taken"), Math.random() * 30);
      } else if (inData) return;
      else if (/^DATA/i.test(text)) {
        inData = true;
        setTimeout(() => say("354 go on"), Math.random() * 30);
      } else {
        recipient = /^RCPT TO:<([^>]+)>/i.exec(text)?.[1] ?? recipient;
        say(/^QUIT/i.test(text) ? "221 bye" : "250 ok");
      }
    };
    socket.on("error", () => socket.destroy());
    socket.on("data", (bytes) => {
      const lines = (rest + bytes.toString("latin1")).split("\r\n");
      rest = lines.pop() ?? "";
      for (const each of lines) line(each);
    });
    say("220 sink.example.net");
  };
  const server = createServer({ noDelay: true }, serve);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  return { port: typeof address === "object" && address ? address.port : 0, overtaken, taken };
}

interface Node {
  readonly smtp: number;
  readonly http: number;
  start(): Promise<Program>;
}

async function nodeOf(storeUrl: string, dataDir: string, sinkPort: number): Promise<Node> {
  const [smtp, http, dir] = [await freePort(), await freePort(), tempDir()];
  const tokenFile = join(dir, "token");
  writeFileSync(tokenFile, TOKEN);
  const path = join(dir, "consentry.yaml");
  const config = {
    hostname: "relay.example.net",
    dataDir,
    localDomains: ["example.com"],
    listeners: [
      { door: "smtp", listen: `127.0.0.1:${smtp}`, requireTls: false },
      { door: "http", listen: `127.0.0.1:${http}` },
    ],
    store: { url: storeUrl, timeoutMs: 5_000 },
    nextHop: { to: `smtp://127.0.0.1:${sinkPort}`, tls: "never", timeoutMs: 1_000 },
    refusals: { apiTokenFile: tokenFile },
    rules: {
      default: "off",
      "consent/recorded-consent": "enforce",
    },
    log: { level: "info" },
  };
  writeFileSync(path, stringify(config));
  return {
    smtp,
    http,
    async start() {
      const program = await startNode("src/commands/index.ts", ["serve", "--config", path]);
      await program.waitForLine(/"listening"/, 45_000).catch((error: unknown) => {
        throw new Error(`it does not start: ${program.lines.join("\n")}`, { cause: error });
      });
      return program;
    },
  };
}

/** One advertisement. @returns the last code heard, 0 when the connection broke */
async function advertise(node: Node, recipient: string): Promise<number> {
  try {
    const talk = await openTalk(node.smtp);
    const asked = await talk.sayAll("EHLO pc.shop.example", "MAIL FROM:<a@shop.example>", `RCPT TO:<${recipient}>`);
    if (asked.code !== 250) return asked.code;
    await talk.say("DATA");
    const { code } = await talk.data("From: a@shop.example\nSubject: AD sale\nX-Ad: yes\n\nbuy\n");
    talk.vanish();
    return code;
  } catch {
    return 0;
  }
}

/** Until it is acknowledged: whoever hears that it is not says it again. */
async function refuse(nodes: readonly Node[], recipient: string): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    const node = nodes[tries % nodes.length] as Node;
    const answer = await fetch(`http://127.0.0.1:${node.http}/v1/refusals`, {
      method: "POST",
      headers: { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" },
      body: JSON.stringify({ advertiser: "shop", recipient }),
    }).catch(() => undefined);
    if (answer?.ok) return;
    await delay(300);
  }
  throw new Error(`${recipient}'s refusal was never acknowledged`);
}

async function play(storeUrl: string, sameMachine: boolean): Promise<void> {
  const acknowledged = new Set<string>();
  const sink = await startSink(acknowledged);
  const dataDir = tempDir();
  const nodes: Node[] = [];
  for (let i = 0; i < NODES; i += 1) nodes.push(await nodeOf(storeUrl, sameMachine ? dataDir : tempDir(), sink.port));
  const recipients = Array.from({ length: RECIPIENTS }, (_, i) => `r${i}@example.com`);
  const store = await openStore(storeUrl, { dataDir, timeoutMs: 5_000, clock: systemClock });
  await createClientRegister(store.tables, systemClock).save({
    id: "shop",
    kind: "advertiser",
    networks: ["127.0.0.1"],
    domains: ["shop.example"],
    disabled: false,
  });
  const consents = createConsentRegister(store.tables, systemClock);
  for (const recipient of recipients) {
    await consents.grant({ recipient, advertiser: "shop", topics: [], proof: { how: "paper" } });
  }
  await store.close();
  const programs = await Promise.all(nodes.map((node) => node.start()));

  let over = false;
  const sending = recipients.flatMap((recipient, r) =>
    Array.from({ length: SENDERS_EACH }, async (_, s) => {
      while (!over) {
        const code = await advertise(nodes[(r + s) % NODES] as Node, recipient);
        if (code === 550) return;
        if (code === 0) await delay(100);
      }
    }),
  );
  const refusing = recipients.map(async (recipient, r) => {
    await delay(300 + r * 120);
    await refuse(nodes, recipient);
    acknowledged.add(recipient);
  });
  const killing = (async () => {
    for (const victim of [1, 2]) {
      await delay(1_000);
      programs[victim]?.signal("SIGKILL");
      await programs[victim]?.exited;
      programs[victim] = await (nodes[victim] as Node).start();
    }
  })();
  await Promise.all([...refusing, killing]);
  await delay(500);
  over = true;
  await Promise.all(sending);
  expect(sink.taken.size, "advertisements were delivered before").toBeGreaterThan(RECIPIENTS / 2);
  expect(sink.overtaken).toEqual([]);
}

describe("refusals while advertisements are on their way through several processes", () => {
  it("none is overtaken, over the embedded store", async () => {
    await play("embedded:", true);
  });

  it.skipIf(!hasRedis)("none is overtaken, over Redis (needs redis-server)", async () => {
    const redis = await startRedis();
    onTestFinished(redis.stop);
    await play(redis.url, false);
  });
});
