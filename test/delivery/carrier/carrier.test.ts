import { describe, expect, it } from "vitest";
import { meant } from "../../helpers/carrying.ts";
import { recipientOf } from "../../helpers/letters.ts";
import { until } from "../../helpers/wait.ts";
import { oneWay } from "../../helpers/ways.ts";

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

  it.each<[string, string, string, object]>([
    ["an address that is not ASCII", "failed mail 550 5.6.7", "thư@a.example", {}],
    [
      "a header that is not ASCII",
      "failed mail 550 5.6.7",
      "a@a.example",
      { text: Buffer.from("Subject: thư\r\n\r\nx\r\n") },
    ],
    [
      "the same from disk",
      "failed mail 550 5.6.7",
      "a@a.example",
      { text: Buffer.from("Subject: thư\r\n\r\nx\r\n"), pieceBytes: 4 },
    ],
    [
      "nothing that would need it",
      "delivered mail 250 2.0.0",
      "a@a.example",
      { text: Buffer.from("Subject: x\r\n\r\nthư\r\n") },
    ],
  ])("an internationalized mail with %s, where SMTPUTF8 is not offered: %s", async (_, expected, from, more) => {
    const { mx, send } = await oneWay();
    expect(
      (await send("b@b.example", { from, sender: { smtpUtf8: true, eightBit: true }, ...more })).map(meant),
    ).toEqual([expected]);
    expect(mx.commands.some((line) => line.includes("SMTPUTF8"))).toBe(false);
  });

  it("an internationalized mail goes as such where SMTPUTF8 is offered", async () => {
    const { mx, send } = await oneWay({ extensions: ["SMTPUTF8", "8BITMIME"] });
    expect((await send("b@b.example", { from: "thư@a.example", sender: { smtpUtf8: true } })).map(meant)).toEqual([
      "delivered mail 250 2.0.0",
    ]);
    expect(mx.mails[0]?.from).toMatch(/^MAIL FROM:<thư@a\.example>.* SMTPUTF8$/);
  });
});
