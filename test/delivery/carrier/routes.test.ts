import { createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { carrying, meant } from "../../helpers/carrying.ts";
import { tempDir } from "../../helpers/temp.ts";
import { until } from "../../helpers/wait.ts";
import { carry, oneWay, running, server } from "../../helpers/ways.ts";

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

  it("leave from the addresses that the route names and the client has registered, from no other", async () => {
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
      routes: [{ clients: ["shop", "both", "other"], egress: ["127.0.0.7", "127.0.0.6"] }],
    };
    const registered: Record<string, string[]> = {
      news: ["127.0.0.8"],
      both: ["127.0.0.9", "127.0.0.6/32"],
      other: ["127.0.0.5"],
      none: [],
    };
    const egressOf = (clientId: string) => registered[clientId];
    const { carrier, send } = carrying(config, ["b.example A 127.0.0.1"], { egressOf });
    await send("b@b.example", { clientId: "shop" });
    await send("b@b.example", { clientId: "news" });
    await send("b@b.example", { clientId: "both" });
    expect(["127.0.0.7", "127.0.0.6"]).toContain(seen.shift());
    expect(seen).toEqual(["127.0.0.8", "127.0.0.6"]);
    for (const clientId of ["other", "none"]) {
      expect((await send("b@b.example", { clientId })).map(meant), clientId).toEqual(["later destination 451 4.3.5"]);
    }
    await carrier.close(0);
    expect(seen).toHaveLength(2);
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

  it("with a rate do not count twice what is under way", async () => {
    const { mx, send, carrier } = await oneWay(
      { answers: { dot: ["stall"] } },
      { queue: { mailsPerMinutePerDestination: 30, timeouts: { endMs: 300 } } },
    );
    const first = send("b@b.example");
    await until("the first is under way", () => mx.mails.length === 1);
    expect(carrier.widthOf?.("b.example"), "one under way, two more may go").toBe(3);
    await first;
    expect(carrier.widthOf?.("b.example")).toBe(2);
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

  it("of a server that takes three at a time: the others wait for one of them, and fewer come from then on", async () => {
    const { mx, send, carrier } = await oneWay({ openMax: 3, dotDelayMs: 30 });
    const all = await Promise.all(Array.from({ length: 12 }, (_, i) => send(`u${i}@b.example`)));
    expect(new Set(all.flat().map(meant))).toEqual(new Set(["delivered mail 250 2.0.0"]));
    expect(mx.mails).toHaveLength(12);
    const width = carrier.widthOf?.("b.example") ?? 0;
    expect(width).toBeGreaterThanOrEqual(1);
    expect(width).toBeLessThan(12);
    for (let i = 0; i < 400 && carrier.widthOf?.("b.example") !== 20; i += 1) await send("b@b.example");
    expect(carrier.widthOf?.("b.example"), "each mail that gets through widens it").toBe(20);
  });

  it("of a server that turns everybody away: later at once, as nobody is there to wait for", async () => {
    const { mx, send } = await oneWay({ openMax: 0 });
    expect((await send("b@b.example")).map(meant)).toEqual(["later destination 421 4.7.0"]);
    expect(mx.connections).toBe(1);
  });

  it("are left to the mails under way when the carrier closes, and then closed", async () => {
    const { mx, send, carrier } = await oneWay({ dotDelayMs: 200 });
    const underWay = send("b@b.example");
    await until("it is under way", () => mx.mails.length === 1);
    await carrier.close(5_000);
    expect((await underWay).map(meant)).toEqual(["delivered mail 250 2.0.0"]);
    await until("nothing is open", () => mx.open === 0);
    expect((await send("b@b.example")).map(meant), "nothing begins afterwards").toEqual(["later mail 451 4.3.2"]);
    expect(mx.connections).toBe(1);
  });

  it("are cut off where a mail does not end in time", async () => {
    const { mx, send, carrier } = await oneWay({ answers: { dot: "stall" } });
    const underWay = send("b@b.example");
    await until("it is under way", () => mx.mails.length === 1);
    await carrier.close(50);
    expect((await underWay).map(({ kind }) => kind)).toEqual(["later"]);
    await until("nothing is open", () => mx.open === 0);
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
