import { createServer } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { type Carrying, carrying, meant } from "../../helpers/carrying.ts";
import { recipientOf } from "../../helpers/letters.ts";
import { type ScriptedServer, type ScriptOptions, startScripted } from "../../helpers/scripted-server.ts";
import { tempDir } from "../../helpers/temp.ts";
import { until } from "../../helpers/wait.ts";

const running: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const { stop } of running.splice(0).reverse()) await stop();
});

async function server(script: ScriptOptions = {}): Promise<ScriptedServer> {
  const started = await startScripted({ extensions: ["PIPELINING", "8BITMIME", "DSN"], ...script });
  running.push(started);
  return started;
}

function carry(config: { queue?: object; [key: string]: unknown }, zone: readonly string[] = []): Carrying {
  const queue = { mxNetworks: ["127.0.0.0/8", "::1"], ...config.queue };
  const made = carrying({ ...config, queue }, zone);
  running.push({ stop: () => made.carrier.close(0) });
  return made;
}

/** One domain whose MX is a scripted server on 127.0.0.1. */
async function oneWay(script: ScriptOptions = {}, config: { queue?: object; [key: string]: unknown } = {}) {
  const mx = await server(script);
  const zone = ["b.example MX 10 mx.b.example", "mx.b.example A 127.0.0.1"];
  return { mx, ...carry({ nextHop: { to: `mx:${mx.port}` }, ...config }, zone) };
}

/** Two servers at one port of two loopback addresses, in this order of preference. */
async function twoWays(first: ScriptOptions, second: ScriptOptions, config: { queue?: object } = {}) {
  const two = await server(second);
  const one = await server({ ...first, at: { host: "127.0.0.2", port: two.port } });
  const zone = [
    "b.example MX 10 one.example",
    "one.example A 127.0.0.2",
    "b.example MX 20 two.example",
    "two.example A 127.0.0.1",
  ];
  return { one, two, ...carry({ nextHop: { to: `mx:${two.port}` }, ...config }, zone) };
}

describe("a mail by MX", () => {
  it("arrives byte for byte, with its envelope", async () => {
    const { mx, send } = await oneWay();
    const [attempt] = await send("b@b.example", { text: "Subject: x\r\n\r\n.dot\r\n" });
    expect(attempt).toMatchObject({
      kind: "delivered",
      server: "mx.b.example",
      serverIp: "127.0.0.1",
      tellsSender: true,
    });
    expect(mx.mails[0]).toMatchObject({ from: "MAIL FROM:<a@a.example>", recipients: ["RCPT TO:<b@b.example>"] });
    expect(String(mx.mails[0]?.body)).toBe("Received: by relay.example\r\nSubject: x\r\n\r\n.dot\r\n");
  });

  it("goes out in one write up to DATA, where the server allows, and recipients hear their own answers", async () => {
    const { mx, send } = await oneWay({
      answers: { RCPT: [undefined, "550 5.1.1 no such user", "450 4.2.0 greylisted"] },
    });
    const attempts = await send(["b@b.example", "c@b.example", "d@b.example"]);
    expect(attempts.map(meant)).toEqual([
      "delivered mail 250 2.0.0",
      "failed recipient 550 5.1.1",
      "later recipient 450 4.2.0",
    ]);
    expect(mx.reads.some((text) => /^MAIL.*\r\nRCPT.*\r\nRCPT.*\r\nRCPT.*\r\nDATA\r\n$/.test(text))).toBe(true);
  });

  it("goes command by command to a server without PIPELINING, with the same answers", async () => {
    const { mx, send } = await oneWay({ extensions: [], answers: { RCPT: ["550 5.1.1 no", undefined] } });
    expect((await send(["b@b.example", "c@b.example"])).map(meant)).toEqual([
      "failed recipient 550 5.1.1",
      "delivered mail 250 2.0.0",
    ]);
    expect(mx.mails[0]?.recipients).toEqual(["RCPT TO:<c@b.example>"]);
  });

  it.each([["PIPELINING"], [""]])("that nobody may have is not sent (%s)", async (extension) => {
    const { mx, send } = await oneWay({
      extensions: [extension],
      answers: { RCPT: "550 5.1.1 no", DATA: "503 5.5.1 no recipients" },
    });
    expect((await send(["b@b.example", "c@b.example"])).map(meant)).toEqual(
      Array(2).fill("failed recipient 550 5.1.1"),
    );
    expect(mx.mails).toHaveLength(0);
  });

  it("whose sender is refused fails for all", async () => {
    const { send } = await oneWay({
      answers: { MAIL: "550 5.1.8 bad sender", RCPT: "503 5.5.1 no", DATA: "503 5.5.1 no" },
    });
    expect((await send(["b@b.example", "c@b.example"])).map(meant)).toEqual(Array(2).fill("failed mail 550 5.1.8"));
  });

  it("uses a kept connection for the next mail, and another when that one died", async () => {
    const { mx, send } = await oneWay({ answers: { MAIL: [undefined, undefined, "close"] } });
    for (let i = 0; i < 3; i += 1) expect((await send("b@b.example")).map(meant)).toEqual(["delivered mail 250 2.0.0"]);
    expect(mx.connections).toBe(2);
    expect(mx.mails).toHaveLength(3);
  });

  it("with more recipients than one transaction may have goes in several", async () => {
    const { mx, send } = await oneWay({}, { queue: { recipientsPerMailMax: 2 } });
    const attempts = await send(["a", "b", "c", "d", "e"].map((name) => `${name}@b.example`));
    expect(new Set(attempts.map(meant))).toEqual(new Set(["delivered mail 250 2.0.0"]));
    expect(mx.mails.map(({ recipients }) => recipients.length)).toEqual([2, 2, 1]);
    expect(mx.connections).toBe(1);
  });

  it("carries DSN requests where they are understood, and says so", async () => {
    const { mx, send } = await oneWay();
    const asking = recipientOf("b@b.example", { notify: ["SUCCESS", "DELAY"], orcpt: "rfc822;o@a.example" });
    const [attempt] = await send([asking], { sender: { ret: "HDRS", envid: "E+1" } });
    expect(attempt?.tellsSender).toBe(true);
    expect(mx.mails[0]).toMatchObject({
      from: "MAIL FROM:<a@a.example> RET=HDRS ENVID=E+2B1",
      recipients: ["RCPT TO:<b@b.example> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;o@a.example"],
    });
    const deaf = await oneWay({ extensions: [] });
    expect((await deaf.send([asking]))[0]?.tellsSender).toBeUndefined();
  });
});

describe("what no server may have", () => {
  it.each([
    ["a line of 999 octets", `Subject: x\r\n\r\n${"x".repeat(999)}\r\n`, "failed mail 554 5.6.0"],
    ["a bare LF", "Subject: x\r\n\r\nx\n.\r\n", "failed mail 554 5.6.0"],
    ["a bare CR", "Subject: x\r\n\r\nx\r.\r\n", "failed mail 554 5.6.0"],
    ["a CR at the very end", "Subject: x\r\n\r\nx\r", "failed mail 554 5.6.0"],
  ])("%s is stopped, from memory and from disk", async (_, text, expected) => {
    const { mx, send } = await oneWay();
    for (const more of [{}, { pieceBytes: 1 }, { pieceBytes: 7 }]) {
      expect((await send("b@b.example", { text, ...more })).map(meant)).toEqual([expected]);
    }
    expect(mx.mails).toHaveLength(0);
    await until("the half-sent mails' connections are gone", () => mx.open === 0);
  });

  it("a line of 998 octets passes, from memory and from disk", async () => {
    const { mx, send } = await oneWay();
    const text = `Subject: x\r\n\r\n${"x".repeat(998)}\r\n`;
    for (const more of [{}, { pieceBytes: 7 }]) await send("b@b.example", { text, ...more });
    expect(mx.mails).toHaveLength(2);
  });

  it.each([{}, { pieceBytes: 3 }])("8-bit text goes only where 8BITMIME is offered (%j)", async (more) => {
    const text = Buffer.from("Subject: x\r\n\r\nchào\r\n");
    const eightBit = { sender: { eightBit: true }, text, ...more };
    const { mx, send } = await oneWay({ extensions: [] });
    expect((await send("b@b.example", eightBit)).map(meant)).toEqual(["failed mail 554 5.6.3"]);
    expect((await send("b@b.example", { sender: { eightBit: true } })).map(meant)).toEqual([
      "delivered mail 250 2.0.0",
    ]);
    expect(mx.mails).toHaveLength(1);
    const any = await oneWay({ extensions: [] }, { queue: { eightBitAnyway: true } });
    expect((await any.send("b@b.example", eightBit)).map(meant)).toEqual(["delivered mail 250 2.0.0"]);
  });

  it("an internationalized mail goes only where SMTPUTF8 is offered", async () => {
    const { send } = await oneWay();
    const attempts = await send("b@b.example", { from: "thư@a.example", sender: { smtpUtf8: true } });
    expect(attempts.map(meant)).toEqual(["failed mail 550 5.6.7"]);
  });
});

describe("the servers of a domain", () => {
  it.each<[string, NonNullable<ScriptOptions["answers"]>]>([
    ["says 421 in its greeting", { connect: { say: "421 4.3.2 busy", close: true } }],
    ["says 554 in its greeting", { connect: { say: "554 no service", close: true } }],
    ["closes at EHLO", { EHLO: "close" }],
    ["says 421 to MAIL", { MAIL: { say: "421 4.3.2 shutting down", close: true } }],
    ["has no disk left", { MAIL: "452 4.3.1 insufficient system storage" }],
    ["closes at RCPT", { RCPT: "close" }],
    ["is silent at DATA", { DATA: "stall" }],
    ["talks nonsense", { connect: "hello there" }],
  ])("are asked one after the other: the first %s, the second takes it", async (_, answers) => {
    const { one, two, send } = await twoWays({ answers }, {}, { queue: { timeouts: { dataMs: 200, rcptMs: 200 } } });
    expect((await send("b@b.example"))[0]).toMatchObject({ kind: "delivered", server: "two.example" });
    expect([one.connections > 0, one.mails.length, two.mails.length]).toEqual([true, 0, 1]);
  });

  it.each<[string, NonNullable<ScriptOptions["answers"]>, string]>([
    ["a mailbox that is not there", { RCPT: "550 5.1.1 no" }, "failed recipient 550 5.1.1"],
    ["greylisting", { RCPT: "450 4.2.0 greylisted" }, "later recipient 450 4.2.0"],
    ["a refusal of the mail", { dot: "550 5.7.1 spam" }, "failed mail 550 5.7.1"],
    ["silence after the dot, which may mean that it was taken", { dot: "stall" }, "later mail 451 4.4.2"],
    ["an end after the dot", { dot: "close" }, "later mail 451 4.4.2"],
  ])("are not played off against each other: %s counts at once", async (_, answers, expected) => {
    const { two, send } = await twoWays({ answers }, {}, { queue: { timeouts: { endMs: 200 } } });
    expect((await send("b@b.example")).map(meant)).toEqual([expected]);
    expect(two.connections).toBe(0);
  });

  it("that do not answer are called last for a while", async () => {
    const two = await server();
    const zone = [
      "b.example MX 10 one.example",
      "one.example A 127.0.0.3",
      "b.example MX 20 two.example",
      "two.example A 127.0.0.1",
    ];
    const { send } = carry({ nextHop: { to: `mx:${two.port}`, mailsPerConnectionMax: 1 } }, zone);
    const before = performance.now();
    for (let i = 0; i < 3; i += 1) expect((await send("b@b.example"))[0]?.server).toBe("two.example");
    expect(performance.now() - before).toBeLessThan(5_000);
  });

  it("that nobody listens at: later, and the destination waits", async () => {
    const port = await new Promise<number>((resolve) => {
      const taken = createServer().listen(0, "127.0.0.1", () => {
        const { port } = taken.address() as { port: number };
        taken.close(() => resolve(port));
      });
    });
    const { send } = carry({ nextHop: { to: `mx:${port}` } }, ["b.example A 127.0.0.1"]);
    const [attempt] = await send("b@b.example");
    expect(attempt && meant(attempt)).toBe("later destination 451 4.4.1");
    expect(attempt?.server).toBeUndefined();
  });

  it("are bounded in number", async () => {
    const { one, two, send } = await twoWays(
      { answers: { MAIL: "452 4.3.1 insufficient system storage" } },
      {},
      { queue: { sessionsPerAttemptMax: 1 } },
    );
    expect((await send("b@b.example")).map(meant)).toEqual(["later destination 452 4.3.1"]);
    expect([one.connections, two.connections]).toEqual([1, 0]);
  });

  it.each([
    [["b.example MX 0 ."], "failed destination 556 5.1.10"],
    [["c.example A 127.0.0.1"], "failed destination 550 5.1.2"],
    [["b.example TXT x"], "failed destination 550 5.4.4"],
    [["b.example MX 10 relay.example", "relay.example A 127.0.0.1"], "failed destination 554 5.4.6"],
    [["b.example silence MX"], "later destination 451 4.4.3"],
  ])("that are not there: %j is %s", async (zone, expected) => {
    const { send } = carry({ nextHop: { to: "mx:" } }, zone);
    expect((await send("b@b.example")).map(meant)).toEqual([expected]);
  });

  it("are not called inside our own house, unless the operator says so", async () => {
    const mx = await server();
    const zone = ["b.example A 127.0.0.1"];
    const { send } = carry({ nextHop: { to: `mx:${mx.port}` }, queue: { mxNetworks: [] } }, zone);
    expect((await send("b@b.example")).map(meant)).toEqual(["failed destination 550 5.4.4"]);
    expect(mx.connections).toBe(0);
  });
});

describe("routes", () => {
  it("by domain and client, smart host or MX, the first that fits", async () => {
    const [smart, mx] = [
      await server({ extensions: ["PIPELINING", "XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE"] }),
      await server(),
    ];
    const { send, carrier } = carry(
      {
        nextHop: { to: `mx:${mx.port}` },
        routes: [
          { domains: ["*.inner.example"], to: `smtp://127.0.0.1:${smart.port}` },
          { clients: ["shop"], egress: ["127.0.0.9"], connectionsMax: 3 },
        ],
      },
      ["b.example A 127.0.0.1"],
    );
    await send("x@some.inner.example");
    await send("x@b.example");
    await send("x@b.example", { clientId: "shop" });
    expect([smart.mails.length, mx.mails.length]).toEqual([1, 2]);
    expect(smart.mails[0]?.xforward[0]).toMatch(/ADDR=192\.0\.2\.7.* IDENT=01MAIL/);
    expect(mx.connections).toBe(2);
    expect(carrier.widthOf?.("b.example")).toBe(20);
    expect(carrier.widthOf?.("b.example via 127.0.0.9")).toBe(3);
  });

  it("say who sent it to smart hosts only", async () => {
    const { mx, send } = await oneWay({ extensions: ["XFORWARD NAME ADDR"] });
    await send("b@b.example");
    expect(mx.mails[0]?.xforward).toEqual([]);
  });

  it("leave from the address the route names, or the client's own", async () => {
    const seen: (string | undefined)[] = [];
    const listener = createServer((socket) => {
      seen.push(socket.remoteAddress);
      socket.end("421 4.3.2 no\r\n");
    });
    await new Promise<void>((resolve) => void listener.listen(0, "127.0.0.1", resolve));
    running.push({ stop: () => new Promise((resolve) => void listener.close(() => resolve())) });
    const { port } = listener.address() as { port: number };
    const config = {
      hostname: "relay.example",
      nextHop: { to: `mx:${port}` },
      queue: { mxNetworks: ["127.0.0.0/8"] },
      routes: [{ clients: ["shop", "news"], egress: ["127.0.0.7"] }],
    };
    const egressOf = (clientId: string) => (clientId === "news" ? ["127.0.0.8"] : undefined);
    const { carrier, send } = carrying(config, ["b.example A 127.0.0.1"], { egressOf });
    await send("b@b.example", { clientId: "shop" });
    await send("b@b.example", { clientId: "news" });
    await carrier.close(0);
    expect(seen).toEqual(["127.0.0.7", "127.0.0.8"]);
  });

  it("that leave from IPv4 only do not reach a host of IPv6 only", async () => {
    const { send } = carry({ nextHop: { to: "mx:" }, routes: [{ egress: ["127.0.0.7"] }] }, ["b.example AAAA ::1"]);
    expect((await send("b@b.example")).map(meant)).toEqual(["later destination 451 4.3.5"]);
  });

  it("into a Maildir are a delivery, too", async () => {
    const { send } = carry({ nextHop: { to: `maildir:${tempDir()}`, mailboxes: ["b@b.example"] } });
    expect((await send(["b@b.example", "c@b.example"])).map(({ kind }) => kind)).toEqual(["delivered", "failed"]);
  });

  it("with a rate have room for as many as may go now", async () => {
    const { send, carrier } = await oneWay({}, { queue: { mailsPerMinutePerDestination: 30 } });
    const room: (number | undefined)[] = [];
    for (let i = 0; i < 4; i += 1) {
      room.push(carrier.widthOf?.("b.example"));
      await send("b@b.example");
    }
    expect(room).toEqual([3, 2, 1, 0]);
  });
});

describe("connections", () => {
  it("are bounded for all destinations together: who is unused makes room", async () => {
    const mx = await server();
    const domains = ["a", "b", "c", "d"].map((name) => `${name}.test`);
    const zone = domains.flatMap((domain, i) => [`${domain} A 127.0.0.${i + 1}`]);
    const others = await Promise.all([2, 3, 4].map((i) => server({ at: { host: `127.0.0.${i}`, port: mx.port } })));
    const { send } = carry({ nextHop: { to: `mx:${mx.port}` }, queue: { connectionsMax: 2 } }, zone);
    for (const domain of domains) expect((await send(`x@${domain}`)).map(meant)).toEqual(["delivered mail 250 2.0.0"]);
    await until("only two are left", () => [mx, ...others].reduce((sum, { open }) => sum + open, 0) === 2);
  });

  it("that are all busy: later, without a word to the destination", async () => {
    const { mx, send } = await oneWay(
      { answers: { dot: ["stall"] } },
      { queue: { connectionsMax: 1, timeouts: { endMs: 400 } } },
    );
    const first = send("b@b.example");
    await until("the first is under way", () => mx.mails.length === 1);
    expect((await send("c@b.example")).map(meant)).toEqual(["later mail 451 4.3.2"]);
    expect((await first).map(meant)).toEqual(["later mail 451 4.4.2"]);
  });
});
