import type { Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { Unavailable } from "../../src/kit/trouble.ts";
import { createRspamd } from "../../src/scorers/rspamd.ts";
import { answering } from "../helpers/answering.ts";
import { viewsOf } from "../helpers/described.ts";
import { freePort } from "../helpers/process.ts";

const rspamdAt = (port: number, more: object = {}) =>
  createRspamd({ url: `http://127.0.0.1:${port}`, timeoutMs: 5_000, bytesMax: 100_000, connectionsMax: 2, ...more });
const mail = { body: "hello\n", to: ["ann@example.com", "ben@example.com"], login: "shop" };
const view = viewsOf(mail).body;
const whole = view.content.whole?.toString("latin1") ?? "";
const http = (status: string, body: string): string =>
  `HTTP/1.1 ${status}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`;
const answer = (value: unknown): string => http("200 OK", JSON.stringify(value));
const whenSent =
  (text: string) =>
  (socket: Socket, heard: string): void => {
    if (heard.endsWith(whole)) socket.end(text);
  };

describe("rspamd", () => {
  it("is given the mail and its envelope", async () => {
    const server = await answering(whenSent(answer({ score: 1.5, required_score: 15, symbols: {} })));
    expect(await rspamdAt(server.port, { password: "sesame" }).score(view)).toEqual({
      score: 1.5,
      required: 15,
      found: [],
    });
    const [head = "", body] = server.heard[0]?.split("\r\n\r\n", 1).concat(whole) ?? [];
    expect(head).toMatch(/^POST \/checkv2 HTTP\/1\.1\r\n/);
    for (const line of [
      "ip: 203.0.113.9",
      "from: <bob@sender.example>",
      "rcpt: ann@example.com",
      "rcpt: ben@example.com",
      "helo: mx.sender.example",
      "user: shop",
      "password: sesame",
      `content-length: ${whole.length}`,
    ])
      expect(head).toContain(line);
    expect(server.heard[0]?.endsWith(body ?? "?")).toBe(true);
  });

  it("tells what weighs, heaviest first, and nothing that could steer a terminal", async () => {
    const symbols = { LOW: { score: 0.5 }, HIGH: { score: 5 }, HAM: { score: -3 }, "X\u001b[2J": { score: 1 } };
    const server = await answering(whenSent(answer({ score: 3, symbols })));
    expect(await rspamdAt(server.port).score(view)).toMatchObject({
      found: ["HIGH", "X??2J", "LOW"],
      required: Infinity,
    });
  });

  it("is not asked about a mail that is larger than it is given", async () => {
    expect(await rspamdAt(await freePort(), { bytesMax: 10 }).score(view)).toBeUndefined();
  });

  it.each([
    ["refuses", whenSent(http("403 Forbidden", "no")), /answered 403/],
    ["says something else than JSON", whenSent(http("200 OK", "<html>")), /JSON/],
    ["gives no score", whenSent(answer({ is_skipped: true })), /no score/],
    ["hangs up", (socket: Socket) => socket.destroy(), /rspamd: /],
    ["talks without end", whenSent(http("200 OK", `{"score":1,"x":"${"x".repeat(1_100_000)}"}`)), /too long/],
  ])("is away when it %s", async (_, onData, reason) => {
    const server = await answering(onData);
    const failure = await rspamdAt(server.port)
      .score(view)
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Unavailable);
    expect(failure).toMatchObject({ dependency: "scorer", message: expect.stringMatching(reason) });
  });

  it("is away when nobody listens", async () => {
    await expect(rspamdAt(await freePort()).score(view)).rejects.toThrow(/rspamd: .*ECONNREFUSED/);
  });

  it("is waited for no longer than its deadline", async () => {
    const server = await answering(() => undefined);
    await expect(rspamdAt(server.port, { timeoutMs: 100 }).score(view)).rejects.toThrow(/no answer in 100 ms/);
  });
});
