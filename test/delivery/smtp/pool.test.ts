import { afterEach, describe, expect, it, vi } from "vitest";
import type { NextHop } from "../../../src/delivery/next-hop.ts";
import { type NextHopOptions, openNextHop } from "../../../src/delivery/open.ts";
import { parcelOf } from "../../../src/delivery/parcel.ts";
import { Connection } from "../../../src/delivery/smtp/connection.ts";
import { contentOf, recipientOf, senderOf, sessionOf } from "../../helpers/letters.ts";
import { type ScriptOptions, startScripted } from "../../helpers/scripted-server.ts";

const running: { stop(): Promise<void> }[] = [];

afterEach(async () => {
  for (const { stop } of running.splice(0).reverse()) await stop();
});

async function world(script: ScriptOptions = {}, options: Partial<NextHopOptions> = {}) {
  const server = await startScripted({ extensions: ["PIPELINING"], ...script });
  const hop = openNextHop(`smtp://127.0.0.1:${server.port}`, {
    hostname: "relay.example",
    timeoutMs: 5_000,
    connectionsMax: 3,
    idleMs: 60_000,
    mailsPerConnectionMax: 100,
    tls: "never",
    ...options,
  });
  running.push(server, { stop: () => hop.close(0) });
  return { server, hop };
}

async function deliver(hop: NextHop): Promise<number> {
  const handover = hop.begin(sessionOf(), senderOf("a@example.com"), "01MAIL");
  await handover.rcpt(recipientOf("b@example.com"));
  const { replies } = await handover.data(parcelOf(contentOf("x\r\n"), Buffer.alloc(0), []), Promise.resolve());
  return replies[0]?.code ?? 0;
}

async function hold(hop: NextHop) {
  const handover = hop.begin(sessionOf(), senderOf("a@example.com"), "01MAIL");
  await handover.rcpt(recipientOf("b@example.com"));
  return handover;
}

const unavailable = { name: "Unavailable", dependency: "next-hop" };

describe("kept connections", () => {
  it("serve many mails, never more of them than allowed", async () => {
    const { server, hop } = await world();
    const codes = await Promise.all(Array.from({ length: 30 }, () => deliver(hop)));
    expect(codes).toEqual(Array(30).fill(250));
    expect(server.connections).toBe(3);
    expect(server.mails).toHaveLength(30);
  });

  it("are used last in, first out, and the others grow old and close with QUIT", async () => {
    const { server, hop } = await world({}, { idleMs: 150 });
    await Promise.all([deliver(hop), deliver(hop), deliver(hop)]);
    expect(server.open).toBe(3);
    await vi.waitFor(
      async () => {
        await deliver(hop);
        expect(server.open).toBe(1);
      },
      { timeout: 3_000, interval: 20 },
    );
    expect(server.commands.filter((line) => line === "QUIT")).toHaveLength(2);
    await vi.waitFor(() => expect(server.open).toBe(0), { timeout: 3_000 });
    expect(server.connections).toBe(3);
  });

  it("are closed after so many mails", async () => {
    const { server, hop } = await world({}, { mailsPerConnectionMax: 2 });
    for (let i = 0; i < 5; i += 1) await deliver(hop);
    expect(server.connections).toBe(3);
    await vi.waitFor(() => expect(server.commands.filter((line) => line === "QUIT")).toHaveLength(2));
  });

  it("that died unnoticed are replaced once, before the mail is begun", async () => {
    const { server, hop } = await world({ answers: { MAIL: [undefined, "close"] } });
    await deliver(hop);
    expect(await deliver(hop)).toBe(250);
    expect(server.connections).toBe(2);
    expect(server.mails).toHaveLength(2);
  });

  it("that answer a new mail with 421 are replaced once too", async () => {
    const { server, hop } = await world({ answers: { MAIL: [undefined, { say: "421 4.4.2 idle", close: true }] } });
    await deliver(hop);
    expect(await deliver(hop)).toBe(250);
    expect(server.mails).toHaveLength(2);
  });

  it("are not replaced twice", async () => {
    const { server, hop } = await world({ answers: { MAIL: [undefined, "close", "close"] } });
    await deliver(hop);
    await expect(deliver(hop)).rejects.toMatchObject(unavailable);
    expect(server.connections).toBe(2);
  });

  it("are not replaced when the server has said something to this mail", async () => {
    const { server, hop } = await world({ answers: { RCPT: [undefined, "close"] } });
    await deliver(hop);
    await expect(deliver(hop)).rejects.toMatchObject(unavailable);
    expect(server.connections).toBe(1);
  });

  it("are not replaced when the server is only silent: the time is over", async () => {
    const { server, hop } = await world({ answers: { MAIL: [undefined, "stall"] } }, { timeoutMs: 100 });
    await deliver(hop);
    await expect(deliver(hop)).rejects.toMatchObject(unavailable);
    expect(server.connections).toBe(1);
  });

  it("are not replaced once DATA was said", async () => {
    const { server, hop } = await world({ answers: { DATA: [undefined, "close"] } });
    await deliver(hop);
    await expect(deliver(hop)).rejects.toMatchObject(unavailable);
    expect(server.connections).toBe(1);
  });

  it("that the server closes while they are idle are noticed", async () => {
    const { server, hop } = await world();
    await deliver(hop);
    server.drop();
    await vi.waitFor(() => expect(server.open).toBe(0));
    expect(await deliver(hop)).toBe(250);
    expect(server.connections).toBe(2);
  });

  it("on which the server speaks unasked are not used again", async () => {
    const { server, hop } = await world({ answers: { dot: ["250 2.0.0 ok\r\n250 2.0.0 and another"] } });
    await deliver(hop);
    await vi.waitFor(() => expect(server.open).toBe(0));
    expect(await deliver(hop)).toBe(250);
  });

  it("whose RSET fails are not used again", async () => {
    const { server, hop } = await world({ answers: { RSET: "500 5.5.1 no" } });
    (await hold(hop)).abort();
    await vi.waitFor(() => expect(server.open).toBe(0));
    expect(await deliver(hop)).toBe(250);
  });
});

describe("the line for a connection", () => {
  it("ends in Unavailable when none becomes free in time", async () => {
    const { hop } = await world({}, { connectionsMax: 1, timeoutMs: 80 });
    const holder = await hold(hop);
    await expect(deliver(hop)).rejects.toMatchObject(unavailable);
    holder.abort();
    expect(await deliver(hop)).toBe(250);
  });

  it("is bounded", async () => {
    const { hop } = await world({}, { connectionsMax: 1 });
    const holder = await hold(hop);
    const waiting = Array.from({ length: 50 }, () => deliver(hop));
    await expect(deliver(hop)).rejects.toThrow("50 mails wait for a connection already");
    holder.abort();
    expect(await Promise.all(waiting)).toEqual(Array(50).fill(250));
  });

  it("moves on when a connection ends instead of becoming free", async () => {
    const { server, hop } = await world({ answers: { dot: ["close"] } }, { connectionsMax: 1 });
    const holder = await hold(hop);
    const next = deliver(hop);
    const parcel = parcelOf(contentOf("x\r\n"), Buffer.alloc(0), []);
    await expect(holder.data(parcel, Promise.resolve())).rejects.toMatchObject(unavailable);
    expect(await next).toBe(250);
    expect(server.connections).toBe(2);
  });
});

describe("ping", () => {
  it("asks on a kept connection, or makes one", async () => {
    const { server, hop } = await world();
    await hop.ping();
    await hop.ping();
    expect(server.connections).toBe(1);
    expect(server.commands.filter((line) => line === "NOOP")).toHaveLength(2);
  });

  it("makes a new one when the kept one turns out dead", async () => {
    const { server, hop } = await world({ answers: { NOOP: ["close"] } });
    await deliver(hop);
    await hop.ping();
    expect(server.connections).toBe(2);
  });

  it.each(["stall", "450 4.0.0 not now", "nonsense"])("is Unavailable when NOOP gets %s", async (NOOP) => {
    const { server, hop } = await world({ answers: { NOOP } }, { timeoutMs: 80 });
    await expect(hop.ping()).rejects.toMatchObject(unavailable);
    await vi.waitFor(() => expect(server.open).toBe(0));
  });
});

describe("close", () => {
  it("lets a mail under way finish, takes no new one, and says QUIT", async () => {
    const { server, hop } = await world();
    await deliver(hop);
    const holder = await hold(hop);
    const closed = hop.close(5_000);
    await expect(deliver(hop)).rejects.toMatchObject(unavailable);
    const parcel = parcelOf(contentOf("last\r\n"), Buffer.alloc(0), []);
    expect((await holder.data(parcel, Promise.resolve())).replies).toMatchObject([{ code: 250 }]);
    await closed;
    await vi.waitFor(() => expect(server.open).toBe(0));
    expect(server.commands.at(-1)).toBe("QUIT");
  });

  it("ends what is not finished in time", async () => {
    const { server, hop } = await world();
    const holder = await hold(hop);
    await hop.close(30);
    await vi.waitFor(() => expect(server.open).toBe(0));
    const parcel = parcelOf(contentOf("x\r\n"), Buffer.alloc(0), []);
    await expect(holder.data(parcel, Promise.resolve())).rejects.toMatchObject(unavailable);
  });

  it("refuses those who wait for a connection", async () => {
    const { hop } = await world({}, { connectionsMax: 1 });
    await hold(hop);
    const waiting = expect(deliver(hop)).rejects.toMatchObject(unavailable);
    await hop.close(30);
    await waiting;
  });
});

describe("credentials", () => {
  const credentials = { user: "relay", password: "s3cret" };
  it("go out as AUTH PLAIN, once a connection", async () => {
    const { server, hop } = await world({ extensions: ["AUTH LOGIN PLAIN"] }, { credentials });
    await deliver(hop);
    await deliver(hop);
    const auth = server.commands.filter((line) => line.startsWith("AUTH"));
    expect(auth).toEqual([`AUTH PLAIN ${Buffer.from("\0relay\0s3cret").toString("base64")}`]);
  });

  it("go out as AUTH LOGIN where there is nothing else", async () => {
    const { server, hop } = await world({ extensions: ["AUTH LOGIN"] }, { credentials });
    await deliver(hop);
    const base64 = (text: string) => Buffer.from(text).toString("base64");
    expect(server.commands.slice(1, 4)).toEqual(["AUTH LOGIN", base64("relay"), base64("s3cret")]);
  });

  it("are not sent in clear text to another machine", async () => {
    const { server, hop } = await world({ extensions: ["AUTH PLAIN LOGIN"] }, { credentials });
    const elsewhere = vi.spyOn(Connection.prototype, "remoteIp", "get").mockReturnValue("192.0.2.1");
    await expect(deliver(hop)).rejects.toThrow("no TLS, so the credentials are not sent");
    elsewhere.mockRestore();
    expect(server.commands).toEqual(["EHLO relay.example"]);
  });

  it.each([
    ["are refused", ["AUTH PLAIN"], "535 5.7.8 no"],
    ["cannot be used", ["AUTH CRAM-MD5"], undefined],
  ])("that %s make the server Unavailable and stay out of the error", async (_, extensions, AUTH) => {
    const { hop } = await world({ extensions, ...(AUTH ? { answers: { AUTH } } : {}) }, { credentials });
    const error = await deliver(hop).catch((reason: unknown) => reason);
    expect(error).toMatchObject(unavailable);
    expect(String(error)).not.toMatch(/s3cret|relay\b.*s3|AHJlbGF5/);
  });
});
