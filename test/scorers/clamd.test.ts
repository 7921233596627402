import type { Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { Unavailable } from "../../src/kit/trouble.ts";
import { createClamd } from "../../src/scorers/clamd.ts";
import { answering } from "../helpers/answering.ts";
import { contentOf } from "../helpers/letters.ts";
import { freePort } from "../helpers/process.ts";

const clamdAt = (port: number, more: object = {}) =>
  createClamd({ to: { host: "127.0.0.1", port }, timeoutMs: 5_000, bytesMax: 100_000, connectionsMax: 2, ...more });
const END = "\0\0\0\0";
const whenSent =
  (answer: string) =>
  (socket: Socket, heard: string): void => {
    if (heard.endsWith(END)) socket.end(answer);
  };

describe("clamd", () => {
  it("is given the whole mail in counted chunks", async () => {
    const server = await answering(whenSent("stream: OK\0"));
    expect(await clamdAt(server.port).scan(contentOf("Subject: x\r\n\r\nhello\r\n", 10))).toEqual({});
    expect(server.heard[0]).toBe("zINSTREAM\0\0\0\0\nSubject: x\0\0\0\n\r\n\r\nhello\r\0\0\0\x01\n\0\0\0\0");
  });

  it.each([
    ["names what it found", "stream: Win.Test.EICAR_HDB-1 FOUND\0", { found: "Win.Test.EICAR_HDB-1" }],
    ["names nothing that could steer a terminal", "stream: a\x1b[2J b FOUND\0", { found: "a?[2J?b" }],
    ["may find the mail too large itself", "INSTREAM size limit exceeded. ERROR\0", { tooLarge: true }],
  ])("%s", async (_, answer, expected) => {
    const server = await answering(whenSent(answer));
    expect(await clamdAt(server.port).scan(contentOf("x"))).toEqual(expected);
  });

  it("is not asked about a mail that is larger than it is given", async () => {
    expect(await clamdAt(await freePort(), { bytesMax: 3 }).scan(contentOf("four"))).toEqual({ tooLarge: true });
  });

  it.each([
    ["answers in words nobody knows", whenSent("what?\0"), /answered "what\?"/],
    ["hangs up", (socket: Socket) => socket.destroy(), /hung up|ECONNRESET|EPIPE/],
    ["talks without end", (socket: Socket) => socket.write("x".repeat(2_000)), /too long/],
  ])("is away when it %s", async (_, onData, reason) => {
    const server = await answering(onData);
    const failure = await clamdAt(server.port)
      .scan(contentOf("x"))
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Unavailable);
    expect(failure).toMatchObject({ dependency: "scorer", message: expect.stringMatching(reason) });
  });

  it("is away when nobody listens", async () => {
    await expect(clamdAt(await freePort()).scan(contentOf("x"))).rejects.toThrow(/clamd: .*ECONNREFUSED/);
  });

  it("is waited for no longer than its deadline, and the connection is ended", async () => {
    const server = await answering(() => undefined);
    await expect(clamdAt(server.port, { timeoutMs: 100 }).scan(contentOf("x"))).rejects.toThrow(/no answer in 100 ms/);
  });

  it("is asked by so many at a time; the others wait their turn, within their deadline", async () => {
    const server = await answering(whenSent("stream: OK\0"));
    const clamd = clamdAt(server.port);
    const answers = await Promise.all(Array.from({ length: 12 }, () => clamd.scan(contentOf("x"))));
    expect(answers).toHaveLength(12);
    expect(server.openMax).toBeLessThanOrEqual(3);
    const silent = await answering(() => undefined);
    const slow = clamdAt(silent.port, { timeoutMs: 100 });
    const failures = await Promise.allSettled(Array.from({ length: 6 }, () => slow.scan(contentOf("x"))));
    expect(failures.map(({ status }) => status)).toEqual(new Array(6).fill("rejected"));
    expect(silent.heard.length, "whoever waited in vain no longer connects").toBeLessThanOrEqual(4);
  });
});
