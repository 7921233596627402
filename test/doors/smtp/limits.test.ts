import { describe, expect, it } from "vitest";
import { clientOf } from "../../helpers/described.ts";
import { EHLO, letter, MAIL, RCPT } from "../../helpers/letters-now.ts";
import { sharedService, startService } from "../../helpers/service.ts";
import { openTalk, type SmtpTalk } from "../../helpers/smtp-talk.ts";
import { until } from "../../helpers/wait.ts";

const hear = ({ code, enhanced, lines }: { code: number; enhanced: string; lines: readonly string[] }): string =>
  [code, enhanced, ...lines.slice(0, 2)].join(" ");

describe("what a mail may be", () => {
  const service = sharedService({
    limits: {
      mailBytesMax: 20_000,
      lineBytesMax: 1000,
      headerBytesMax: 5000,
      headersMax: 50,
      memoryBytesPerMailMax: 4000,
    },
  });

  async function send(text: string): Promise<string> {
    const talk = await openTalk(service().smtp);
    await talk.sayAll(EHLO, MAIL, RCPT, "DATA");
    const said = hear(await talk.data(text));
    expect((await talk.sayAll(MAIL, RCPT)).code, "the session goes on").toBe(250);
    return said;
  }

  it.each([
    ["a line of the bound", letter(`${"x".repeat(1000)}\n`), /^250 /],
    ["a line beyond it", letter(`${"x".repeat(1001)}\n`), /^550 5\.5\.2 a line is too long .*1000 bytes/],
    ["a line far beyond it", letter(`${"x".repeat(15_000)}\n`), /^550 5\.5\.2 a line is too long .*1000 bytes/],
    ["a header line beyond it", letter("", `X: ${"x".repeat(1001)}\n`), /^550 5\.5\.2 a line is too long/],
    ["fifty header fields", letter("", "X: y\n".repeat(47)), /^250 /],
    ["fifty-one", letter("", "X: y\n".repeat(48)), /^552 5\.3\.4 there are too many header fields .*50 fields/],
    ["many folded lines are one field", letter("", `X: y\n${" z\n".repeat(400)}`), /^250 /],
    [
      "a header block beyond its bound",
      letter("", `X: ${"x".repeat(900)}\n`.repeat(6)),
      /^552 5\.3\.4 the header block is too large .*5000 bytes/,
    ],
    ["a mail within the bound, on disk", letter("0123456789\n".repeat(1500)), /^250 /],
    ["a mail beyond it", letter("0123456789\n".repeat(2000)), /^552 5\.3\.4 the mail is too large .*20000 bytes/],
    ["a NUL byte", letter("a\0b\n"), /^550 5\.6\.0 a NUL byte in the mail/],
    ["a mail without a body", letter(""), /^250 /],
    ["an empty mail", "", /^550 5\.6\.0 there is not exactly one From/],
    ["a dot line", letter("..\n.\n.x\n"), /^250 /],
  ])("%s: the reply names the limit", async (_, text, expected) => {
    expect(await send(text)).toMatch(expected);
  });

  it("is announced, and SIZE beyond it is refused at MAIL", async () => {
    const talk = await openTalk(service().smtp);
    expect((await talk.say(EHLO)).text).toContain("SIZE 20000");
    expect(hear(await talk.say(`${MAIL} SIZE=20001`))).toMatch(/^552 5\.3\.4 .*20000/);
    expect((await talk.say(`${MAIL} SIZE=20000`)).code).toBe(250);
  });

  it("goes into the ledger when it is too much, with the limit", async () => {
    const talk = await openTalk(service().smtp);
    await talk.sayAll(EHLO, MAIL, "RCPT TO:<too-much@example.com>", "DATA");
    await talk.data(letter(`${"x".repeat(1001)}\n`));
    expect(await service().entriesSoon(1, { recipient: "too-much@example.com" })).toMatchObject([
      { event: "refused", verdict: "reject", reply: expect.stringContaining("1000 bytes") },
    ]);
  });

  it("comes through the disk as it came through memory: bit for bit", async () => {
    const body = Array.from({ length: 900 }, (_, i) => `${"\x80\xff\x7f"}line ${i} ${"é"}\n`).join("");
    const talk = await openTalk(service().smtp);
    await talk.sayAll(EHLO, `${MAIL} BODY=8BITMIME`, "RCPT TO:<disk@example.com>", "DATA");
    const text = Buffer.from(letter(body).replace(/\n/g, "\r\n"), "latin1");
    expect((await talk.data(text)).code).toBe(250);
    const [mail = ""] = service().mailsTo("disk@example.com");
    expect(mail.slice(mail.indexOf("From: "))).toBe(text.toString("latin1"));
  });
});

describe("how many recipients a mail may have", () => {
  it("says 452 beyond it, and the mail goes to those before", async () => {
    const service = await startService({ limits: { recipientsMax: 2 } });
    const talk = await openTalk(service.smtp);
    await talk.sayAll(EHLO, MAIL, "RCPT TO:<a@example.com>", "RCPT TO:<b@example.com>");
    const third = await talk.say("RCPT TO:<c@example.com>");
    expect([third.code, third.enhanced]).toEqual([452, "4.5.3"]);
    expect((await talk.say("RCPT TO:<A@EXAMPLE.com>")).code, "one of those there are").toBe(250);
    await talk.say("DATA");
    await talk.data(letter());
    expect(service.mails()).toHaveLength(2);
  });

  it("is not stretched by writing one recipient in other cases", async () => {
    const service = await startService({ limits: { recipientsMax: 2 } });
    const talk = await openTalk(service.smtp);
    await talk.sayAll(EHLO, MAIL, "RCPT TO:<abc@example.com>");
    for (const local of ["Abc", "aBc", "abC", "ABC"]) await talk.say(`RCPT TO:<${local}@example.com>`);
    await talk.say("DATA");
    await talk.data(letter());
    expect(service.mails()).toHaveLength(1);
  });
});

describe("how many connections there may be", () => {
  /** Opens until one is refused; how many got in, and what the refused one heard. */
  async function crowd(port: number, tries: number): Promise<{ inside: SmtpTalk[]; refused: string[] }> {
    const inside: SmtpTalk[] = [];
    const refused: string[] = [];
    for (let i = 0; i < tries; i += 1) {
      const talk = await openTalk(port);
      if (talk.greeting.code === 220) inside.push(talk);
      else refused.push(talk.greeting.text);
    }
    return { inside, refused };
  }

  it("of one address: 421 beyond it, and a place is free again when one leaves", async () => {
    const service = await startService({ limits: { connectionsPerIpMax: 3 } });
    const { inside, refused } = await crowd(service.smtp, 5);
    expect(inside).toHaveLength(3);
    expect(refused[0]).toMatch(/^421[- ]4\.7\.0 too many connections from your address/);
    inside[0]?.vanish();
    await until("a place is free", async () => (await crowd(service.smtp, 1)).inside.length === 1);
  });

  it("are counted over all listeners together", async () => {
    const service = await startService({ limits: { connectionsPerIpMax: 2 } });
    await openTalk(service.smtp);
    await openTalk(service.submission);
    expect((await openTalk(service.smtp)).greeting.code).toBe(421);
  });

  it("in all: 421 beyond it", async () => {
    const service = await startService({ limits: { connectionsMax: 2 } });
    const { inside, refused } = await crowd(service.smtp, 3);
    expect(inside).toHaveLength(2);
    expect(refused).toHaveLength(1);
  });

  it("a reset connection is one less, too", async () => {
    const service = await startService({ limits: { connectionsPerIpMax: 1 } });
    (await openTalk(service.smtp)).reset();
    await until("a place is free", async () => (await crowd(service.smtp, 1)).inside.length === 1);
  });
});

describe("how much may be said without a mail", () => {
  it.each([
    ["NOOP", "NOOP"],
    ["RSET", "RSET"],
    ["VRFY", "VRFY x"],
    ["EHLO", EHLO],
    ["a refused MAIL", "MAIL FROM:<x@localhost>"],
    ["DATA too early", "DATA"],
    ["RCPT too early", RCPT],
    ["an XCLIENT that is refused", "XCLIENT FOO=1"],
  ])("%s: 421 in the end", async (_, line) => {
    const service = await startService({ limits: { commandsWithoutMailMax: 5 } });
    const talk = await openTalk(service.smtp);
    await talk.say(EHLO);
    let code = 0;
    for (let said = 0; said < 12 && code !== 421; said += 1) ({ code } = await talk.say(line));
    expect(code).toBe(421);
    expect(await talk.rest()).toBe("");
  });

  it("trying out recipients: 421 in the end", async () => {
    const service = await startService({ limits: { commandsWithoutMailMax: 5 } });
    const talk = await openTalk(service.smtp);
    await talk.sayAll(EHLO, MAIL);
    let code = 0;
    for (let said = 0; said < 12 && code !== 421; said += 1)
      ({ code } = await talk.say(`RCPT TO:<r${said}@other.example>`));
    expect(code).toBe(421);
  });

  it("counts anew after each mail", async () => {
    const service = await startService({ limits: { commandsWithoutMailMax: 5 } });
    const talk = await openTalk(service.smtp);
    await talk.say(EHLO);
    for (let mails = 0; mails < 4; mails += 1) {
      await talk.sayAll("NOOP", "NOOP", "RSET", MAIL, RCPT, "DATA");
      expect((await talk.data(letter())).code).toBe(250);
    }
  });

  it("ten commands that do not exist: 421", async () => {
    const service = await startService();
    const talk = await openTalk(service.smtp);
    await talk.say(EHLO);
    const codes = [];
    for (let said = 0; said < 10; said += 1) codes.push((await talk.say("HELLO?")).code);
    expect(codes).toEqual([...Array(9).fill(500), 421]);
  });

  it("a command without an end: 421, and memory is not filled", async () => {
    const service = await startService();
    const talk = await openTalk(service.smtp);
    talk.send(`EHLO ${"x".repeat(40_000)}`);
    expect((await talk.hear()).code).toBe(421);
    expect(await talk.rest()).toBe("");
  });

  it("HTTP: 421", async () => {
    const service = await startService();
    const talk = await openTalk(service.smtp);
    expect((await talk.say("POST / HTTP/1.1")).code).toBe(421);
  });
});

describe("time", () => {
  it("a silent client is sent away", async () => {
    const service = await startService({ limits: { idleTimeoutMs: 60 } });
    const talk = await openTalk(service.smtp);
    await talk.say(EHLO);
    expect((await talk.hear()).code).toBe(421);
    expect(await talk.rest()).toBe("");
  });

  it("a client that falls silent inside a mail is sent away, and the mail is nowhere", async () => {
    const service = await startService({ limits: { idleTimeoutMs: 60 } });
    const talk = await openTalk(service.smtp);
    await talk.sayAll(EHLO, MAIL, RCPT, "DATA");
    talk.send("From: bob@sender.example\r\n");
    expect((await talk.hear()).code).toBe(421);
    await talk.rest();
    expect(service.mails()).toEqual([]);
    await until("nothing is left", () => service.leftovers().length === 0);
  });

  it("a stranger waits for the greeting where the operator says so, a client does not", async () => {
    const service = await startService({ limits: { greetingDelayMs: 300 } });
    const timed = async (): Promise<number> => {
      const before = performance.now();
      expect((await openTalk(service.smtp)).greeting.code).toBe(220);
      return performance.now() - before;
    };
    expect(await timed()).toBeGreaterThan(290);
    await service.house.clients.save(clientOf({ networks: ["127.0.0.1"] }));
    expect(await timed()).toBeLessThan(290);
  });

  it("who talks before the greeting is sent away", async () => {
    const service = await startService({ limits: { greetingDelayMs: 300 } });
    const talk = await openTalk(service.smtp, `${EHLO}\r\n`);
    expect(talk.greeting.code).toBe(421);
    expect(await talk.rest()).toBe("");
  });
});
