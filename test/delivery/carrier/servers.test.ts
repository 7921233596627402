import { createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { meant } from "../../helpers/carrying.ts";
import type { ScriptOptions } from "../../helpers/scripted-server.ts";
import { carry, server, twoWays } from "../../helpers/ways.ts";

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
