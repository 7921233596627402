/**
 * Servers that stall at each step, answer nonsense, close, tarpit or break TLS: classed right, over in time, nothing left open.
 * One table; every server here is alone, so that what it does decides.
 */
import { afterEach, describe, expect, it } from "vitest";
import { carrying, meant } from "../../helpers/carrying.ts";
import { type Answer, type ScriptedServer, type Step, startScripted } from "../../helpers/scripted-server.ts";
import { until } from "../../helpers/wait.ts";

const STEP_MS = 300;
/** On a machine with much to do one step may wait long for its turn; without bounds it would be minutes. */
const PATIENCE_MS = 8_000;
const TIMEOUTS = Object.fromEntries(
  ["greetingMs", "helloMs", "tlsMs", "mailMs", "rcptMs", "dataMs", "blockMs", "endMs"].map((key) => [key, STEP_MS]),
);

const running: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const { stop } of running.splice(0).reverse()) await stop();
});

async function world(server: ScriptedServer, more: object = {}) {
  const { carrier, send } = carrying(
    {
      nextHop: { to: `mx:${server.port}`, tls: "opportunistic" },
      queue: { mxNetworks: ["127.0.0.0/8"], timeouts: TIMEOUTS, ...more },
    },
    ["b.example A 127.0.0.1"],
  );
  running.push(server, { stop: () => carrier.close(0) });
  return { carrier, send };
}

/** Step, what the server does there, and what it means with and without PIPELINING. */
const TROUBLES: readonly (readonly [step: Step, act: Answer, means: string])[] = [
  ["connect", "stall", "later destination 451 4.4.2"],
  ["connect", "close", "later destination 451 4.4.2"],
  ["connect", "nonsense", "later destination 451 4.5.0"],
  ["connect", "220-never\r\n220-ending\r\n999 x", "later destination 451 4.5.0"],
  ["connect", `220 ${"x".repeat(3_000)}`, "later destination 451 4.5.0"],
  ["connect", { say: "421 4.3.2 not now", close: true }, "later destination 421 4.3.2"],
  ["connect", { say: "554 5.3.2 no mail here", close: true }, "later destination 554 5.3.2"],
  ["connect", { say: "521 no mail here", close: true }, "failed destination 521 5.0.0"],
  ["EHLO", "stall", "later destination 451 4.4.2"],
  ["EHLO", "close", "later destination 451 4.4.2"],
  ["EHLO", "250-half\r\n550 of it", "later destination 451 4.5.0"],
  ["EHLO", { say: "421 4.7.0 go away", close: true }, "later destination 421 4.7.0"],
  ["MAIL", "stall", "later destination 451 4.4.2"],
  ["MAIL", "close", "later destination 451 4.4.2"],
  ["MAIL", "what?", "later destination 451 4.5.0"],
  ["MAIL", "354 go on", "later destination 451 4.5.0"],
  ["MAIL", { say: "421 4.3.2 shutting down", close: true }, "later destination 421 4.3.2"],
  ["MAIL", { say: "550 5.7.1 not you", close: true }, "failed mail 550 5.7.1"],
  ["RCPT", "stall", "later destination 451 4.4.2"],
  ["RCPT", "close", "later destination 451 4.4.2"],
  ["RCPT", "220 what?", "later destination 451 4.5.0"],
  ["RCPT", { say: "421 4.7.0 too many errors", close: true }, "later destination 421 4.7.0"],
  ["RCPT", { say: "550 5.1.1 nobody", close: true }, "failed recipient 550 5.1.1"],
  ["DATA", "stall", "later destination 451 4.4.2"],
  ["DATA", "close", "later destination 451 4.4.2"],
  ["DATA", "250 sure", "later destination 451 4.5.0"],
  ["DATA", "451 4.3.0 no", "later mail 451 4.3.0"],
  ["dot", "stall", "later mail 451 4.4.2"],
  ["dot", "close", "later mail 451 4.4.2"],
  ["dot", "354 more?", "later destination 451 4.5.0"],
  ["dot", "gibberish", "later destination 451 4.5.0"],
  ["dot", { say: "421 4.3.2 shutting down", close: true }, "later destination 421 4.3.2"],
  ["dot", { say: "250 2.0.0 kept", close: true }, "delivered mail 250 2.0.0"],
];

describe.each([["PIPELINING"], ["without PIPELINING"]])("a server with %s", (extension) => {
  it.each(TROUBLES)("that at %s does %j: %s", async (step, act, means) => {
    const extensions = extension === "PIPELINING" ? ["PIPELINING"] : ["X"];
    const server = await startScripted({ extensions, answers: { [step]: act } });
    const { send } = await world(server, { sessionsPerAttemptMax: 1 });
    const startMs = performance.now();
    const [attempt] = await send("b@b.example");
    const tookMs = performance.now() - startMs;
    expect(attempt && meant(attempt)).toBe(means);
    expect(tookMs).toBeLessThan(PATIENCE_MS);
    await until(
      "no connection is left",
      () => server.open === 0 || attempt?.kind !== "later" || !isBroken(attempt.reply.lines),
    );
  });
});

const OURS = /did not answer in time|ended the talk|not SMTP/;
const isBroken = (lines: readonly string[]): boolean => OURS.test(lines.join(" "));

describe("a server that takes its time", () => {
  it("for each answer, but not too long, gets the mail (a tarpit)", async () => {
    const server = await startScripted({ extensions: ["PIPELINING"], pieceBytes: 1 });
    const { send } = await world(server);
    expect((await send(["a", "b", "c"].map((name) => `${name}@b.example`))).map(meant)).toEqual(
      Array(3).fill("delivered mail 250 2.0.0"),
    );
  });

  it("with every step, but never too long with one, is given up when the attempt is over its time", async () => {
    const server = await startScripted({ extensions: ["X"], answers: { RCPT: "stall" } });
    const { send } = await world(server, { attemptMaxMs: 300, timeouts: { ...TIMEOUTS, rcptMs: 60_000 } });
    const startMs = performance.now();
    expect((await send("b@b.example")).map(meant)).toEqual(["later destination 451 4.4.2"]);
    expect(performance.now() - startMs).toBeLessThan(PATIENCE_MS);
    await until("nothing is open", () => server.open === 0);
  });

  it("to read the mail is given up, and its place is free", async () => {
    const server = await startScripted({ extensions: ["PIPELINING"], answers: { DATA: "deaf" } });
    const { send } = await world(server);
    const text = `Subject: x\r\n\r\n${"x".repeat(900)}\r\n`.concat(`${"y".repeat(900)}\r\n`.repeat(40_000));
    const startMs = performance.now();
    expect((await send("b@b.example", { text, pieceBytes: 65_536 })).map(meant)).toEqual(["later mail 451 4.4.2"]);
    expect(performance.now() - startMs).toBeLessThan(PATIENCE_MS);
  });
});
