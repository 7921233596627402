import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Handover, NextHop } from "../../../src/delivery/next-hop.ts";
import { openNextHop } from "../../../src/delivery/open.ts";
import { parcelOf } from "../../../src/delivery/parcel.ts";
import { contentOf, recipientOf, senderOf, sessionOf } from "../../helpers/letters.ts";
import { type ScriptedServer, type ScriptOptions, type Step, startScripted } from "../../helpers/scripted-server.ts";

const PIPELINED = ["PIPELINING", "SIZE 1000000", "XFORWARD ADDR HELO"];
const MAIL = "From: a@example.com\r\n\r\n.hello\r\n..\r\nend\r\n";
const FRONT = Buffer.from("Received: by us\r\n");
const YES = Promise.resolve();
const running: { stop(): Promise<void> }[] = [];

afterEach(async () => {
  for (const { stop } of running.splice(0).reverse()) await stop();
});

interface World {
  readonly server: ScriptedServer;
  readonly hop: NextHop;
}

async function world(
  script: ScriptOptions = {},
  options: Partial<Parameters<typeof openNextHop>[1]> = {},
): Promise<World> {
  const server = await startScripted({ extensions: PIPELINED, ...script });
  const scheme = script.lmtp ? "lmtp" : "smtp";
  const to = script.unix ? `${scheme}+unix:${server.path}` : `${scheme}://127.0.0.1:${server.port}`;
  const hop = openNextHop(to, {
    hostname: "relay.example",
    timeoutMs: 5_000,
    connectionsMax: 5,
    idleMs: 60_000,
    mailsPerConnectionMax: 100,
    tls: "never",
    ...options,
  });
  running.push(server, { stop: () => hop.close(0) });
  return { server, hop };
}

const begin = (hop: NextHop): Handover => hop.begin(sessionOf(), senderOf("a@example.com"), "01MAIL");
const parcel = (mail: string | Buffer = MAIL, pieceBytes?: number) => parcelOf(contentOf(mail, pieceBytes), FRONT, []);

/** The whole way of one mail. */
async function deliver(hop: NextHop, mail = parcel(), ready: Promise<unknown> = YES) {
  ready.catch(() => {});
  const handover = begin(hop);
  const rcpt = await handover.rcpt(recipientOf("b@example.com"));
  if (rcpt.code >= 300) {
    handover.abort();
    return { rcpt, replies: [] };
  }
  return { rcpt, ...(await handover.data(mail, ready)) };
}

const unavailable = { name: "Unavailable", dependency: "next-hop" };

describe("a mail to a server that behaves", () => {
  it("arrives with our front before it, and both replies are the server's", async () => {
    const { server, hop } = await world();
    const outcome = await deliver(hop);
    expect(outcome).toEqual({
      rcpt: { code: 250, enhanced: "2.1.5", lines: ["recipient ok"] },
      replies: [{ code: 250, enhanced: "2.0.0", lines: ["delivered"] }],
      nextHopIp: "127.0.0.1",
    });
    expect(server.mails).toEqual([
      {
        from: "MAIL FROM:<a@example.com>",
        recipients: ["RCPT TO:<b@example.com>"],
        xforward: ["XFORWARD ADDR=192.0.2.7 HELO=client.example"],
        body: Buffer.from(FRONT + MAIL),
      },
    ]);
  });

  it("takes one write for each step with PIPELINING", async () => {
    const { server, hop } = await world();
    const handover = begin(hop);
    await handover.rcpt(recipientOf("b@example.com"));
    await handover.rcpt(recipientOf("c@example.com"));
    await handover.data(parcel(), YES);
    expect(server.reads).toEqual([
      "EHLO relay.example\r\n",
      "XFORWARD ADDR=192.0.2.7 HELO=client.example\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com>\r\n",
      "RCPT TO:<c@example.com>\r\n",
      "DATA\r\n",
      "Received: by us\r\nFrom: a@example.com\r\n\r\n..hello\r\n...\r\nend\r\n.\r\n",
    ]);
  });

  it("asks one thing at a time without PIPELINING", async () => {
    const { server, hop } = await world({ extensions: ["XFORWARD ADDR"] });
    await deliver(hop);
    expect(server.reads.slice(1, 5)).toEqual([
      "XFORWARD ADDR=192.0.2.7\r\n",
      "MAIL FROM:<a@example.com>\r\n",
      "RCPT TO:<b@example.com>\r\n",
      "DATA\r\n",
    ]);
  });

  it("says XFORWARD before every mail, because servers forget it with the mail", async () => {
    const { server, hop } = await world();
    await deliver(hop);
    await deliver(hop);
    expect(server.connections).toBe(1);
    expect(server.mails.map((mail) => mail.xforward.length)).toEqual([1, 1]);
  });

  it("does not mind a refused XFORWARD", async () => {
    const { server, hop } = await world({ answers: { XFORWARD: "550 5.7.0 not you" } });
    expect((await deliver(hop)).replies).toMatchObject([{ code: 250 }]);
    expect(server.mails).toHaveLength(1);
  });

  it.each([1, 2, 3, 7])("understands replies in pieces of %i bytes", async (pieceBytes) => {
    const answers = { MAIL: "250-2.1.0 a\r\n250-2.1.0 b\r\n250 2.1.0 c", dot: "250-2.6.0 one\r\n250 2.6.0 two" };
    const { hop } = await world({ pieceBytes, answers });
    expect((await deliver(hop)).replies).toEqual([{ code: 250, enhanced: "2.6.0", lines: ["one", "two"] }]);
  });

  it("speaks through a unix socket, and then knows no address", async () => {
    const { server, hop } = await world({ unix: true });
    expect(await deliver(hop)).not.toHaveProperty("nextHopIp");
    expect(server.mails).toHaveLength(1);
  });

  it("falls back to HELO for a server that knows no EHLO", async () => {
    const { server, hop } = await world({ answers: { EHLO: "502 5.5.1 what?" } });
    await deliver(hop);
    expect(server.commands.slice(0, 3)).toEqual([
      "EHLO relay.example",
      "HELO relay.example",
      "MAIL FROM:<a@example.com>",
    ]);
  });

  it("carries any mail of CRLF lines unchanged, in memory or in pieces", async () => {
    const { server, hop } = await world();
    const lines = fc.array(fc.string({ unit: fc.constantFrom(".", "x", "\xff", "\0"), maxLength: 5 }), {
      maxLength: 40,
    });
    await fc.assert(
      fc.asyncProperty(
        lines,
        fc.option(fc.integer({ min: 1, max: 30 }), { nil: undefined }),
        async (texts, pieceBytes) => {
          const mail = Buffer.from(texts.map((text) => `${text}\r\n`).join(""), "latin1");
          await deliver(hop, parcel(mail, pieceBytes));
          expect(server.mails.at(-1)?.body).toEqual(Buffer.concat([FRONT, mail]));
        },
      ),
      { numRuns: 60 },
    );
    expect(server.connections).toBe(1);
  });

  it("streams a large mail and waits where the server reads slowly", async () => {
    const { server, hop } = await world();
    const mail = Buffer.from(".0123456789\r\n".repeat(400_000));
    await deliver(hop, parcel(mail, 65_536));
    expect(server.mails[0]?.body.equals(Buffer.concat([FRONT, mail]))).toBe(true);
  });
});

describe("the answers of the server", () => {
  it("are the refusal of one recipient only", async () => {
    const { server, hop } = await world({ answers: { RCPT: ["550 5.1.1 nobody", undefined, "452 4.2.2 full"] } });
    const handover = begin(hop);
    const codes = [];
    for (const name of ["x", "b", "y"]) codes.push((await handover.rcpt(recipientOf(`${name}@example.com`))).code);
    expect(codes).toEqual([550, 250, 452]);
    expect(await handover.data(parcel(), YES)).toMatchObject({ replies: [{ code: 250 }] });
    expect(server.mails[0]?.recipients).toEqual(["RCPT TO:<b@example.com>"]);
  });

  it.each([true, false])("to MAIL are the reply to every recipient (pipelining %s)", async (pipelining) => {
    const answers = { MAIL: ["553 5.1.8 not from there"] };
    const { server, hop } = await world({ answers, extensions: pipelining ? PIPELINED : [] }, { connectionsMax: 1 });
    const handover = begin(hop);
    const refusal = { code: 553, enhanced: "5.1.8", lines: ["not from there"] };
    expect(await handover.rcpt(recipientOf("b@example.com"))).toEqual(refusal);
    expect(await handover.rcpt(recipientOf("c@example.com"))).toEqual(refusal);
    handover.abort();
    expect((await deliver(hop)).replies).toMatchObject([{ code: 250 }]);
    expect(server.connections).toBe(1);
    expect(server.commands.filter((line) => line.startsWith("MAIL"))).toHaveLength(2);
  });

  it.each(["554 5.7.1 no", "451 4.3.0 later"])(
    "to DATA are the outcome (%s), and the connection stays",
    async (DATA) => {
      const { server, hop } = await world({ answers: { DATA: [DATA] } }, { connectionsMax: 1 });
      expect((await deliver(hop)).replies).toMatchObject([{ code: Number(DATA.slice(0, 3)) }]);
      expect(server.mails).toHaveLength(0);
      await deliver(hop);
      expect(server.connections).toBe(1);
      expect(server.commands).toContain("RSET");
    },
  );

  it("to the mail are the outcome", async () => {
    const { hop } = await world({ answers: { dot: "554 5.6.0 content refused" } });
    expect((await deliver(hop)).replies).toEqual([{ code: 554, enhanced: "5.6.0", lines: ["content refused"] }]);
  });

  it("in the middle of a large mail are the outcome, and the mail is never finished", async () => {
    const { server, hop } = await world({ answers: { DATA: "354 go\r\n552 5.3.4 too much" } });
    let isReady = (): void => {};
    const ready = new Promise<void>((resolve) => {
      isReady = resolve;
    });
    const outcome = deliver(hop, parcel(Buffer.alloc(200_000, "x\r\n"), 65_536), ready);
    await vi.waitFor(() => expect(server.open).toBe(0));
    isReady();
    expect((await outcome).replies).toMatchObject([{ code: 552, enhanced: "5.3.4" }]);
    expect(server.mails).toHaveLength(0);
  });

  it("are one for each accepted recipient in LMTP", async () => {
    const answers = { RCPT: [undefined, "550 5.1.1 nobody"], dot: ["250 2.0.0 a", "452 4.2.2 b full"] };
    const { server, hop } = await world({ lmtp: true, answers });
    const handover = begin(hop);
    for (const name of ["a", "x", "b"]) await handover.rcpt(recipientOf(`${name}@example.com`));
    expect((await handover.data(parcel(), YES)).replies).toEqual([
      { code: 250, enhanced: "2.0.0", lines: ["a"] },
      { code: 452, enhanced: "4.2.2", lines: ["b full"] },
    ]);
    expect(server.commands[0]).toBe("LHLO relay.example");
  });

  it("to DATA in LMTP hold for each accepted recipient", async () => {
    const { hop } = await world({ lmtp: true, answers: { DATA: "451 4.3.0 later" } });
    const handover = begin(hop);
    for (const name of ["a", "b"]) await handover.rcpt(recipientOf(`${name}@example.com`));
    expect((await handover.data(parcel(), YES)).replies.map((reply) => reply.code)).toEqual([451, 451]);
  });

  it("are given by us where the server lacks SMTPUTF8 or REQUIRETLS, and nothing is sent", async () => {
    const { server, hop } = await world();
    const utf8 = hop.begin(sessionOf(), senderOf("ä@example.com", { smtpUtf8: true, eightBit: true }), "01MAIL");
    expect(await utf8.rcpt(recipientOf("b@example.com"))).toMatchObject({ code: 550, enhanced: "5.6.7" });
    const tls = hop.begin(sessionOf(), senderOf("a@example.com", { requireTls: true }), "01MAIL");
    expect(await tls.rcpt(recipientOf("b@example.com"))).toMatchObject({ code: 550, enhanced: "5.7.30" });
    const ascii = begin(hop);
    expect(await ascii.rcpt(recipientOf("ä@example.com"))).toMatchObject({ code: 553, enhanced: "5.6.7" });
    expect(await ascii.rcpt(recipientOf("b@example.com"))).toMatchObject({ code: 250 });
    expect(server.commands.filter((line) => /^(MAIL|RCPT)/.test(line))).toHaveLength(2);
    expect(server.connections).toBe(1);
  });

  it("go without BODY=8BITMIME where it is not offered", async () => {
    const { server, hop } = await world();
    const handover = hop.begin(sessionOf(), senderOf("a@example.com", { eightBit: true, sizeBytes: 99 }), "01MAIL");
    await handover.rcpt(recipientOf("b@example.com"));
    await handover.data(parcel(Buffer.from("\xe9\r\n", "latin1")), YES);
    expect(server.mails[0]?.from).toBe("MAIL FROM:<a@example.com> SIZE=99");
    expect(server.mails[0]?.body.subarray(FRONT.length)).toEqual(Buffer.from([0xe9, 13, 10]));
  });
});

const steps: readonly [Step, readonly string[]][] = [
  ["connect", PIPELINED],
  ["EHLO", PIPELINED],
  ["XFORWARD", PIPELINED],
  ["XFORWARD", ["XFORWARD ADDR"]],
  ["MAIL", PIPELINED],
  ["MAIL", []],
  ["RCPT", PIPELINED],
  ["RCPT", []],
  ["DATA", PIPELINED],
  ["dot", PIPELINED],
];
const misdeeds = [
  ["stalls", "stall"],
  ["closes", "close"],
  ["talks nonsense", "make love, not spam"],
  ["says 421", "421 4.3.2 going down"],
  ["says 421 and closes", { say: "421 4.3.2 going down", close: true }],
  ["answers 399", "399 well"],
  ["changes the code inside a reply", "250-a\r\n251 b"],
] as const;
const cases = steps.flatMap(([step, extensions]) =>
  misdeeds
    .filter(([, answer]) => step !== "XFORWARD" || answer !== "399 well")
    .map(([how, answer]) => [
      step,
      how,
      extensions.includes("PIPELINING") ? "pipelined" : "one by one",
      answer,
      extensions,
    ]),
) as [Step, string, string, (typeof misdeeds)[number][1], readonly string[]][];

describe("a server that misbehaves", () => {
  it.each(cases)(
    "at %s and %s (%s) is Unavailable in time, and frees its place",
    async (step, _, __, answer, extensions) => {
      const { server, hop } = await world(
        { extensions, answers: { [step]: [answer] } },
        { timeoutMs: answer === "stall" ? 60 : 5_000, connectionsMax: 1 },
      );
      const startMs = performance.now();
      await expect(deliver(hop)).rejects.toMatchObject(unavailable);
      expect(performance.now() - startMs).toBeLessThan(1_500);
      await vi.waitFor(() => expect(server.open).toBe(0));
      expect((await deliver(hop)).replies).toMatchObject([{ code: 250 }]);
      expect(server.connections).toBe(2);
    },
  );

  it("that nobody listens at is Unavailable", async () => {
    const { server, hop } = await world();
    await server.stop();
    await expect(deliver(hop)).rejects.toMatchObject(unavailable);
    await expect(hop.ping()).rejects.toMatchObject(unavailable);
  });

  it("and reads no further makes us wait with the mail, not gather it", async () => {
    const { hop } = await world({ answers: { DATA: "deaf" } }, { timeoutMs: 150 });
    const piece = Buffer.alloc(65_536, "x");
    let pulled = 0;
    let isClosed = false;
    async function* read(): AsyncIterable<Buffer> {
      try {
        for (; pulled < 10_000; pulled += 1) yield piece;
      } finally {
        isClosed = true;
      }
    }
    const endless = { front: FRONT, bytes: 10_000 * piece.length, changes: { fields: [], additions: [] }, read };
    await expect(deliver(hop, endless)).rejects.toMatchObject(unavailable);
    expect(pulled).toBeLessThan(1_000);
    await vi.waitFor(() => expect(isClosed).toBe(true));
  });

  it("stays Unavailable for the later recipients of that mail, without more waiting", async () => {
    const { server, hop } = await world({ answers: { RCPT: "close" } });
    const handover = begin(hop);
    await expect(handover.rcpt(recipientOf("b@example.com"))).rejects.toMatchObject(unavailable);
    await expect(handover.rcpt(recipientOf("c@example.com"))).rejects.toMatchObject(unavailable);
    handover.abort();
    expect(server.connections).toBe(1);
  });

  it("gets no addresses or texts into the error", async () => {
    const { hop } = await world({ answers: { RCPT: "421 4.3.0 secret b@example.com" } });
    const error = await deliver(hop).catch((reason: unknown) => reason);
    expect(String(error)).toMatch(/^Unavailable: smtp:\/\/127\.0\.0\.1:\d+: MAIL and RCPT: the server says 421$/);
  });

  it("closes between recipients and mail: Unavailable, never sent again", async () => {
    const { server, hop } = await world();
    await deliver(hop);
    const handover = begin(hop);
    await handover.rcpt(recipientOf("b@example.com"));
    server.drop();
    await expect(handover.data(parcel(), YES)).rejects.toMatchObject(unavailable);
    expect(server.mails).toHaveLength(1);
    expect(server.connections).toBe(1);
  });
});

describe("readiness", () => {
  it.each([
    ["a small mail", undefined],
    ["a streamed mail", 4],
  ])("that fails keeps %s from being finished", async (_, pieceBytes) => {
    const { server, hop } = await world();
    const trouble = new Error("no ledger");
    await expect(deliver(hop, parcel(MAIL, pieceBytes), Promise.reject(trouble))).rejects.toBe(trouble);
    await vi.waitFor(() => expect(server.open).toBe(0));
    expect(server.reads.join("")).not.toContain("\r\n.\r\n");
    expect(server.mails).toHaveLength(0);
  });

  it("that never comes is Unavailable in time, without a dot", async () => {
    const { server, hop } = await world({}, { timeoutMs: 60 });
    await expect(deliver(hop, parcel(), new Promise(() => {}))).rejects.toMatchObject(unavailable);
    await vi.waitFor(() => expect(server.open).toBe(0));
    expect(server.mails).toHaveLength(0);
  });

  it("is waited for before the dot, while all else may go", async () => {
    const { server, hop } = await world();
    let isReady = (): void => {};
    const ready = new Promise<void>((resolve) => {
      isReady = resolve;
    });
    const outcome = deliver(hop, parcel(MAIL, 4), ready);
    await vi.waitFor(() => expect(server.reads.join("")).toContain("end\r\n"));
    expect(server.mails).toHaveLength(0);
    isReady();
    expect((await outcome).replies).toMatchObject([{ code: 250 }]);
    expect(server.mails).toHaveLength(1);
  });

  it("that fails after DATA was refused troubles nobody", async () => {
    const { hop } = await world({ answers: { DATA: "554 5.7.1 no" } });
    const late = new Promise((_, reject) => setImmediate(() => reject(new Error("late"))));
    expect((await deliver(hop, parcel(), late)).replies).toMatchObject([{ code: 554 }]);
    await expect(late).rejects.toThrow("late");
  });

  it("of the mail itself counts too: what cannot be read is not delivered", async () => {
    const { server, hop } = await world();
    const broken = parcel(MAIL, 4);
    async function* read(): AsyncIterable<Buffer> {
      yield* broken.read();
      throw new Error("EIO");
    }
    await expect(deliver(hop, { ...broken, read })).rejects.toThrow("EIO");
    await vi.waitFor(() => expect(server.open).toBe(0));
    expect(server.mails).toHaveLength(0);
  });
});

describe("giving up", () => {
  it("before DATA resets the connection and keeps it", async () => {
    const { server, hop } = await world();
    const handover = begin(hop);
    await handover.rcpt(recipientOf("b@example.com"));
    handover.abort();
    handover.abort();
    await deliver(hop);
    await vi.waitFor(() => expect(server.commands).toContain("RSET"));
    expect(server.mails.map((mail) => mail.recipients)).toEqual([["RCPT TO:<b@example.com>"]]);
    await expect(handover.rcpt(recipientOf("c@example.com"))).rejects.toThrow("after the end");
  });

  it("before the first recipient connects to nobody", async () => {
    const { server, hop } = await world();
    begin(hop).abort();
    await deliver(hop);
    expect(server.connections).toBe(1);
    expect(server.commands).not.toContain("RSET");
  });

  it("while a recipient is asked for ends that connection", async () => {
    const { server, hop } = await world({ answers: { RCPT: ["stall"] } });
    const handover = begin(hop);
    const rcpt = handover.rcpt(recipientOf("b@example.com"));
    const failed = expect(rcpt).rejects.toMatchObject(unavailable);
    await vi.waitFor(() => expect(server.commands).toContain("RCPT TO:<b@example.com>"));
    handover.abort();
    await failed;
    await vi.waitFor(() => expect(server.open).toBe(0));
  });

  it("while waiting for a connection leaves it to the next mail", async () => {
    const { server, hop } = await world({}, { connectionsMax: 1 });
    const first = begin(hop);
    await first.rcpt(recipientOf("a@example.com"));
    const second = begin(hop);
    const rcpt = expect(second.rcpt(recipientOf("b@example.com"))).rejects.toMatchObject(unavailable);
    const third = deliver(hop);
    second.abort();
    await first.data(parcel(), YES);
    await rcpt;
    expect((await third).replies).toMatchObject([{ code: 250 }]);
    expect(server.mails.map((mail) => mail.recipients)).toEqual([
      ["RCPT TO:<a@example.com>"],
      ["RCPT TO:<b@example.com>"],
    ]);
  });

  it("is no way to send a mail without a recipient", async () => {
    const { server, hop } = await world({ answers: { RCPT: "550 5.1.1 nobody" } });
    const handover = begin(hop);
    await handover.rcpt(recipientOf("b@example.com"));
    await expect(handover.data(parcel(), YES)).rejects.toThrow("without an accepted recipient");
    handover.abort();
    expect(server.commands).not.toContain("DATA");
  });
});
