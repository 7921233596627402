import { describe, expect, it } from "vitest";
import { xforwardLines } from "../../../src/delivery/smtp/xforward.ts";
import { sessionOf } from "../../helpers/letters.ts";

const ALL = ["NAME", "ADDR", "PORT", "PROTO", "HELO", "IDENT", "SOURCE"];

describe("XFORWARD", () => {
  it("says who really sent the mail", () => {
    expect(xforwardLines(ALL, sessionOf(), "01MAIL")).toEqual([
      "XFORWARD NAME=[UNAVAILABLE] ADDR=192.0.2.7 PORT=40025 PROTO=ESMTP HELO=client.example IDENT=01MAIL SOURCE=REMOTE",
    ]);
  });

  it.each([
    ["an IPv6 client", { clientIp: "2001:db8::1" }, ["ADDR"], "ADDR=IPV6:2001:db8::1"],
    ["a client without an address", { clientIp: "" }, ["ADDR"], "ADDR=[UNAVAILABLE]"],
    ["an address literal as HELO", { helo: "[192.0.2.7]" }, ["HELO"], "HELO=[192.0.2.7]"],
    ["a HELO with characters of xtext", { helo: "a+b=c" }, ["HELO"], "HELO=a+2Bb+3Dc"],
    ["a HELO with blanks", { helo: "a b" }, ["HELO"], "HELO=[UNAVAILABLE]"],
    ["a HELO with a line break", { helo: "a\r\nRSET" }, ["HELO"], "HELO=[UNAVAILABLE]"],
    ["a HELO that is not ASCII", { helo: "hällo" }, ["HELO"], "HELO=[UNAVAILABLE]"],
    ["a HELO that is too long", { helo: "a".repeat(256) }, ["HELO"], "HELO=[UNAVAILABLE]"],
    ["an encrypted client", { tls: "TLSv1.3" }, ["PROTO"], "PROTO=ESMTPS"],
    ["a client that logged in", { tls: "TLSv1.3", login: "x" }, ["PROTO"], "PROTO=ESMTPSA"],
    ["a mail that came by HTTP", { door: "http" as const }, ["PROTO"], "PROTO=HTTP"],
  ])("writes %s", (_, session, offered, attribute) => {
    expect(xforwardLines(offered, sessionOf(session))).toEqual([`XFORWARD ${attribute}`]);
  });

  it("sends no attribute the server does not list, and nothing when it lists none", () => {
    expect(xforwardLines(["PORT", "COLOUR"], sessionOf())).toEqual(["XFORWARD PORT=40025"]);
    expect(xforwardLines([], sessionOf())).toEqual([]);
  });

  it("stays within 512 octets a line", () => {
    const lines = xforwardLines(ALL, sessionOf({ helo: "=".repeat(160) }), "m".repeat(200));
    expect(lines.length).toBeGreaterThan(1);
    expect(lines.every((line) => line.startsWith("XFORWARD ") && line.length <= 510)).toBe(true);
    expect(lines.join(" ")).toContain(` IDENT=${"m".repeat(200)}`);
  });
});
