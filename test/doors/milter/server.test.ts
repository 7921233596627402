import { once } from "node:events";
import { link, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { MailAnswer, MilterFault } from "../../../src/doors/milter/handler.ts";
import { listenMilter, type MilterListen, type MilterServer } from "../../../src/doors/milter/server.ts";
import { letters, type MilterClient, openMilterClient, sendMail } from "../../helpers/milter-client.ts";
import { recordingHandler } from "../../helpers/milter-handler.ts";

let dir = "";
const servers: MilterServer[] = [];
const clients: MilterClient[] = [];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "milter-"));
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await Promise.all(servers.splice(0).map((server) => server.close(0)));
  await rm(dir, { recursive: true });
});

interface Started {
  readonly server: MilterServer;
  readonly calls: string[];
  readonly faults: MilterFault[];
}

async function start(
  listen: MilterListen,
  config: { endOfMessage?: () => Promise<MailAnswer>; connectionsMax?: number } = {},
): Promise<Started> {
  const calls: string[] = [];
  const faults: MilterFault[] = [];
  const { endOfMessage, connectionsMax = 100 } = config;
  const server = await listenMilter({
    listen,
    newHandler: () => recordingHandler(calls, endOfMessage ? { endOfMessage } : {}),
    options: { connectionsMax, onFault: (fault) => faults.push(fault) },
  });
  servers.push(server);
  return { server, calls, faults };
}

async function greeted(server: MilterServer): Promise<MilterClient> {
  const client = openMilterClient(server.address);
  clients.push(client);
  await client.negotiate();
  await client.connect();
  await client.helo();
  return client;
}

const loopback = { host: "127.0.0.1", port: 0 };

describe("a milter server", () => {
  it.each([
    ["TCP", () => loopback],
    ["a unix socket", () => ({ path: join(dir, "milter.sock") })],
  ])("serves mails over %s, several on each of several connections", async (_, listen) => {
    const { server, calls } = await start(listen());
    const all = await Promise.all(Array.from({ length: 5 }, () => greeted(server)));
    for (let i = 0; i < 3; i += 1) {
      await Promise.all(
        all.map(async (client) => {
          await sendMail(client);
          expect(letters(await client.endOfMessage())).toBe("c");
        }),
      );
    }
    expect(server.connections).toBe(5);
    expect(calls.filter((call) => call === "endOfMessage")).toHaveLength(15);
  });

  it("says where it listens", async () => {
    const { server } = await start(loopback);
    expect(server.address).toMatchObject({ host: "127.0.0.1", port: expect.any(Number) });
    await expect(start({ ...loopback, port: (server.address as { port: number }).port })).rejects.toThrow("EADDRINUSE");
  });

  it.each([
    [undefined, 0o660],
    [0o600, 0o600],
    [0o666, 0o666],
  ])("gives its socket file the mode asked for (%s), and removes it at the end", async (mode, expected) => {
    const path = join(dir, "milter.sock");
    const { server } = await start(mode === undefined ? { path } : { path, mode });
    expect((await stat(path)).mode & 0o777).toBe(expected);
    await server.close(0);
    await expect(stat(path)).rejects.toThrow("ENOENT");
  });

  it("takes the place of a socket file that nobody listens on", async () => {
    const path = join(dir, "milter.sock");
    await leaveStale(path);
    const { server } = await start({ path });
    expect(letters([await (await greeted(server)).mail("<a@b>")])).toBe("c");
  });

  it("leaves a living server, and any other file, alone", async () => {
    const path = join(dir, "milter.sock");
    const { server } = await start({ path });
    await expect(start({ path })).rejects.toThrow(/in use/);
    expect(letters([await (await greeted(server)).mail("<a@b>")])).toBe("c");
    await writeFile(join(dir, "file"), "precious");
    await expect(start({ path: join(dir, "file") })).rejects.toThrow("not a socket");
    expect((await stat(join(dir, "file"))).size).toBe(8);
  });

  it("closes one connection too many, and says so", async () => {
    const { server, faults } = await start(loopback, { connectionsMax: 2 });
    await greeted(server);
    const second = await greeted(server);
    const third = openMilterClient(server.address as { port: number });
    clients.push(third);
    await expect(third.negotiate()).rejects.toThrow();
    expect(faults.map((fault) => fault.kind)).toEqual(["bound"]);
    second.destroy();
    await vi.waitFor(() => expect(server.connections).toBe(1));
    await greeted(server);
  });

  it("lets a mail in progress finish when it closes, and hangs up on the others", async () => {
    const deciding = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<MailAnswer>();
    const { server, calls } = await start(loopback, {
      endOfMessage: () => {
        deciding.resolve();
        return answer.promise;
      },
    });
    const busy = await greeted(server);
    const idle = await greeted(server);
    await sendMail(busy);
    const seen = busy.endOfMessage();
    await deciding.promise;
    const closing = server.close(60_000);
    expect(await idle.next()).toBeUndefined();
    const late = openMilterClient(server.address as { port: number });
    clients.push(late);
    await expect(late.negotiate()).rejects.toThrow();
    answer.resolve("accept");
    expect(letters(await seen)).toBe("a");
    await closing;
    expect(calls.filter((call) => call === "abort")).toEqual([]);
    expect(calls.filter((call) => call === "close")).toHaveLength(2);
  });

  it("gives a mail no more than the grace", async () => {
    const { server, calls } = await start(loopback, { endOfMessage: () => new Promise(() => {}) });
    const client = await greeted(server);
    await client.mail("<a@b>");
    await server.close(20);
    expect(await client.next()).toBeUndefined();
    expect(calls.slice(-2)).toEqual(["abort", "close"]);
  });
});

/** A socket file as a killed server leaves it: bound once, listened on no more. */
async function leaveStale(path: string): Promise<void> {
  const server = createServer();
  server.listen(`${path}.first`);
  await once(server, "listening");
  await link(`${path}.first`, path);
  server.close();
  await once(server, "close");
}
