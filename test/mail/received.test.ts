import { describe, expect, it } from "vitest";
import { Headers } from "../../src/mail/headers.ts";
import { mailDate, type Passage, parseReceived, readMailDate, receivedLine } from "../../src/mail/received.ts";
import { clientOf, recipientOf, sessionOf } from "../helpers/described.ts";

const AT_MS = Date.UTC(2026, 10, 22, 7, 6, 5);

const passage = (more: Partial<Passage> = {}): Passage => ({
  session: sessionOf(),
  hostname: "relay.example.net",
  mailId: "ID-1",
  atMs: AT_MS,
  recipients: [recipientOf("ann@example.com")],
  smtpUtf8: false,
  ...more,
});
const line = (more: Partial<Passage> = {}): string => receivedLine(passage(more)).toString();

describe("our trace line", () => {
  it("says from whom, by whom, how, under which id, for whom and when", () => {
    expect(line()).toBe(
      "Received: from mx.sender.example ([203.0.113.9])\r\n" +
        "\tby relay.example.net (consentry) with ESMTP id ID-1\r\n" +
        "\tfor <ann@example.com>;\r\n" +
        "\tSun, 22 Nov 2026 07:06:05 +0000\r\n",
    );
  });

  it("names the recipient only when there is one, so that nobody learns of the others", () => {
    const two = line({ recipients: [recipientOf("ann@example.com"), recipientOf("ben@example.com")] });
    expect(two).not.toMatch(/ann|ben|for </);
    expect(two).toContain("id ID-1;\r\n\tSun, ");
  });

  it("never names the login or the client", () => {
    const session = { ...sessionOf({ login: "secret-login" }), client: clientOf({ id: "secret-login" }) };
    expect(line({ session })).not.toContain("secret-login");
  });

  it.each([
    ["plain", {}, false, "ESMTP"],
    ["TLS", { tls: "TLSv1.3" }, false, "ESMTPS"],
    ["a login", { login: "x" }, false, "ESMTPA"],
    ["both", { tls: "TLSv1.3", login: "x" }, false, "ESMTPSA"],
    ["SMTPUTF8", {}, true, "UTF8SMTP"],
    ["SMTPUTF8 with both", { tls: "TLSv1.3", login: "x" }, true, "UTF8SMTPSA"],
  ])("with %s it says the protocol by its registered word", (_, more, smtpUtf8, word) => {
    expect(line({ session: { ...sessionOf(), ...more }, smtpUtf8 })).toContain(`with ${word} id `);
  });

  it("writes IPv6 addresses as literals", () => {
    expect(line({ session: sessionOf({ ip: "2001:db8::9" }) })).toContain("([IPv6:2001:db8::9])");
  });

  it.each(["evil\r\nX-Injected: yes", "a (b) c", "<x@y>", 'a"b;c', "例子.测试", "", "x".repeat(5000)])(
    "lets no HELO out of its place: %j",
    (helo) => {
      const bytes = receivedLine(passage({ session: sessionOf({ helo }) }));
      const { fields, malformed } = Headers.parse(Buffer.concat([bytes, Buffer.from("\r\n")]));
      expect(fields).toHaveLength(1);
      expect(malformed).toBe(0);
      expect(parseReceived(fields[0]?.value ?? "")).toEqual({ by: ["relay.example.net"], id: "ID-1", atMs: AT_MS });
      expect(bytes.toString("latin1")).toMatch(/^[\t\r\n\x20-\x7e]*$/);
    },
  );
});

describe("other servers' trace lines", () => {
  it.each([
    ["from a by b.example with ESMTPS id 4X; Sun, 22 Nov 2026 07:06:05 +0000 (UTC)", ["b.example"], "4X"],
    [
      "from a (helo a [192.0.2.1]) by B.Example. (8.17/8.17) with ESMTP id <x@y>; Sun, 22 Nov 2026 07:06:05 +0000",
      ["b.example"],
      "x@y",
    ],
    ["(qmail 1 invoked by uid 0); 22 Nov 2026 07:06:05 -0000", [], undefined],
    ["by 2002:a05:1 with SMTP id q1; Sat, 21 Nov 2026 23:06:05 -0800 (PST)", ["2002:a05:1"], "q1"],
    ["from by by c.example by b.example; Sun, 22 Nov 2026 07:06:05 GMT", ["by", "c.example", "b.example"], undefined],
    ["from a (b (c) by d.example) by e.example; Sun, 22 Nov 2026 07:06:05 GMT", ["e.example"], undefined],
  ])("%s", (value, by, id) => {
    expect(parseReceived(value)).toEqual({ by, ...(id && { id }), atMs: AT_MS });
  });

  it.each([
    "",
    ";",
    "from a by",
    "((((",
    "by ".repeat(20_000),
    " by\t".repeat(20_000),
    `by${" ".repeat(100_000)}`,
    "(".repeat(100_000),
  ])("takes any text in time that grows with its length: %.20j", (value) => {
    const before = performance.now();
    parseReceived(value);
    expect(performance.now() - before).toBeLessThan(2000);
  });
});

describe("dates", () => {
  it("are written in UTC as RFC 5322 wants them", () => {
    expect(mailDate(AT_MS)).toBe("Sun, 22 Nov 2026 07:06:05 +0000");
    expect(readMailDate(mailDate(AT_MS))).toBe(AT_MS);
  });

  it.each([
    "Sun, 22 Nov 2026 07:06:05 +0000",
    "Sun, 22 Nov 2026 15:06:05 +0800 (CST)",
    "22 Nov 26 07:06:05 GMT",
    "Sun, 22 Nov 2026 02:06:05 EST",
    "Sun, 22 Nov 2026 07:06:05 CET",
    "Sun, 22 Nov 2026 7:6:5 +0000",
  ])("%s is read", (text) => {
    expect(readMailDate(text)).toBe(AT_MS);
  });

  it.each(["", "12", "Nov", "22 Nov 2026", "Sun, 32 Nov 2026 07:06:05 +0000", "yesterday 7:06", "07:06"])(
    "%j is none",
    (text) => {
      expect(readMailDate(text)).toBeUndefined();
    },
  );
});
