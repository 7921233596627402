import { describe, expect, it } from "vitest";
import { mailCommand, type Peer, rcptCommand } from "../../../src/delivery/smtp/commands.ts";
import { readExtensions } from "../../../src/delivery/smtp/extensions.ts";
import { recipientOf, senderOf } from "../../helpers/letters.ts";

const ALL = ["SIZE 1000", "8BITMIME", "SMTPUTF8", "DSN", "REQUIRETLS"];
const peer = (keywords: readonly string[], isVerified = true): Peer => ({
  extensions: readExtensions(["name", ...keywords]),
  isVerified,
});
const everything = senderOf("a@example.com", {
  sizeBytes: 123,
  eightBit: true,
  smtpUtf8: true,
  requireTls: true,
  ret: "HDRS",
  envid: "id+1=x y",
});

describe("MAIL", () => {
  it.each([
    ["the null sender", senderOf(null), ALL, "MAIL FROM:<>"],
    [
      "everything that is offered",
      everything,
      ALL,
      "MAIL FROM:<a@example.com> SIZE=123 BODY=8BITMIME SMTPUTF8 REQUIRETLS RET=HDRS ENVID=id+2B1+3Dx+20y",
    ],
    [
      "nothing that is not",
      senderOf("a@example.com", { sizeBytes: 1, eightBit: true, ret: "FULL", envid: "x" }),
      [],
      "MAIL FROM:<a@example.com>",
    ],
    ["a quoted local part as it is", senderOf('"a b"@example.com'), [], 'MAIL FROM:<"a b"@example.com>'],
    [
      "a U-label as its A-label without SMTPUTF8",
      senderOf("a@bücher.example"),
      [],
      "MAIL FROM:<a@xn--bcher-kva.example>",
    ],
    [
      "UTF-8 as it is with SMTPUTF8",
      senderOf("ä@bücher.example", { smtpUtf8: true }),
      ALL,
      "MAIL FROM:<ä@bücher.example> SMTPUTF8",
    ],
  ])("says %s", (_, sender, keywords, line) => {
    expect(mailCommand(sender, peer(keywords))).toBe(line);
  });

  it.each([
    ["SMTPUTF8 is not offered", senderOf("a@example.com", { smtpUtf8: true }), peer([]), 550, "5.6.7"],
    ["the local part is not ASCII and nobody said SMTPUTF8", senderOf("ä@example.com"), peer(ALL), 553, "5.6.7"],
    ["REQUIRETLS is not offered", senderOf("a@example.com", { requireTls: true }), peer([]), 550, "5.7.30"],
    [
      "the certificate was not checked",
      senderOf("a@example.com", { requireTls: true }),
      peer(ALL, false),
      550,
      "5.7.30",
    ],
  ])("is a refusal when %s", (_, sender, to, code, enhanced) => {
    expect(mailCommand(sender, to)).toMatchObject({ code, enhanced });
  });
});

describe("RCPT", () => {
  const dsn = readExtensions(["name", "DSN"]);
  const none = readExtensions(["name"]);
  const plain = senderOf("a@example.com");
  it.each([
    ["bare", recipientOf("b@example.com"), dsn, "RCPT TO:<b@example.com>"],
    [
      "with what DSN takes",
      recipientOf("b@example.com", { notify: ["SUCCESS", "FAILURE"], orcpt: "rfc822;b+c=d@example.com" }),
      dsn,
      "RCPT TO:<b@example.com> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;b+2Bc+3Dd@example.com",
    ],
    [
      "with an original recipient in UTF-8",
      recipientOf("b@example.com", { orcpt: "utf-8;b+ä@example.com" }),
      dsn,
      "RCPT TO:<b@example.com> ORCPT=utf-8;b\\x{2B}\\x{E4}@example.com",
    ],
    [
      "without DSN where it is not offered",
      recipientOf("b@example.com", { notify: ["NEVER"], orcpt: "rfc822;x" }),
      none,
      "RCPT TO:<b@example.com>",
    ],
  ])("is written %s", (_, recipient, extensions, line) => {
    expect(rcptCommand(recipient, plain, extensions)).toBe(line);
  });

  it("is a refusal for a local part that needs SMTPUTF8", () => {
    expect(rcptCommand(recipientOf("ä@example.com"), plain, dsn)).toMatchObject({ code: 553, enhanced: "5.6.7" });
  });

  it.each(["\r\nDATA", "\n", "\r", "\0"])("never becomes two commands (%j)", (tail) => {
    const both = { ...plain, smtpUtf8: true };
    const offered = readExtensions(["name", "SMTPUTF8"]);
    expect(() => rcptCommand(recipientOf(`b${tail}@example.com`), both, offered)).toThrow(TypeError);
    const encoded = rcptCommand(recipientOf("b@example.com", { orcpt: `rfc822;x${tail}` }), plain, dsn);
    expect(encoded).not.toMatch(/[\r\n\0]/);
    expect(() => rcptCommand(recipientOf("b@example.com", { notify: [`NEVER${tail}`] }), plain, dsn)).toThrow(
      TypeError,
    );
  });
});
