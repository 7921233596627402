import { describe, expect, it } from "vitest";
import { clientOf } from "../../helpers/described.ts";
import { EHLO, letter, MAIL, RCPT } from "../../helpers/letters-now.ts";
import { sharedService, startService } from "../../helpers/service.ts";
import { openTalk } from "../../helpers/smtp-talk.ts";

describe("a proxy that is not trusted", () => {
  const service = sharedService({ trustedProxies: ["192.0.2.1"] });

  it.each(["XCLIENT ADDR=203.0.113.9", "XFORWARD ADDR=203.0.113.9"])(
    "may not say %s, nor is it offered",
    async (line) => {
      const talk = await openTalk(service().smtp);
      const offered = await talk.say(EHLO);
      expect(offered.text).not.toMatch(/XCLIENT|XFORWARD/);
      expect((await talk.say(line)).code).toBe(550);
      await talk.sayAll(MAIL, "RCPT TO:<x@other.example>");
      const [entry] = await service().entriesSoon(1);
      expect(entry?.clientIp).toBe("127.0.0.1");
    },
  );

  it("gets no PROXY header taken: it is no command", async () => {
    const service = await startService({
      trustedProxies: ["192.0.2.1"],
      listeners: [{ door: "smtp", listen: "127.0.0.1:0", proxyHeader: true }],
    });
    const talk = await openTalk(service.smtp);
    expect((await talk.say("PROXY TCP4 203.0.113.9 127.0.0.1 1000 25")).code).toBe(500);
  });
});

describe("XCLIENT from a trusted proxy", () => {
  const service = sharedService();

  it("makes the session another client's: new greeting, new address, new HELO", async () => {
    const talk = await openTalk(service().smtp);
    expect((await talk.say(EHLO)).text).toMatch(/XCLIENT .*ADDR/);
    expect((await talk.say("XCLIENT ADDR=203.0.113.9 PORT=4321 NAME=[UNAVAILABLE]")).code).toBe(220);
    expect((await talk.say(MAIL)).code, "HELO first").toBe(503);
    await talk.sayAll("EHLO other.example", MAIL, RCPT, "DATA");
    await talk.data(letter());
    const [entry] = await service().entriesSoon(1, { ip: "203.0.113.9" });
    expect(entry).toMatchObject({ clientIp: "203.0.113.9", clientPort: 4321, helo: "other.example" });
  });

  it("may log a client in, and only one that exists", async () => {
    await service().house.clients.save(clientOf());
    const talk = await openTalk(service().smtp);
    await talk.sayAll(EHLO, "XCLIENT ADDR=203.0.113.9 LOGIN=shop", EHLO, "MAIL FROM:<a@shop.example>");
    expect((await talk.say("RCPT TO:<x@other.example>")).code).toBe(250);
    const ghost = await openTalk(service().smtp);
    expect((await ghost.sayAll(EHLO, "XCLIENT ADDR=203.0.113.9 LOGIN=ghost")).code).toBe(550);
  });

  it("is over once it was used: the client behind it cannot change who it is", async () => {
    const talk = await openTalk(service().smtp);
    await talk.sayAll(EHLO, "XCLIENT ADDR=203.0.113.9");
    const offered = await talk.say(EHLO);
    expect(offered.text).not.toMatch(/XCLIENT|XFORWARD/);
    expect((await talk.say("XCLIENT ADDR=127.0.0.1")).code).toBe(550);
    expect((await talk.say("XFORWARD ADDR=127.0.0.1")).code).toBe(550);
  });

  it("takes what the proxy's own network or login allowed away from the client behind it", async () => {
    const service = await startService();
    await service.house.clients.save(clientOf({ networks: ["127.0.0.1"] }), "sesame");
    const talk = await openTalk(service.smtp);
    await talk.sayAll(EHLO, "MAIL FROM:<a@shop.example>");
    expect((await talk.say("RCPT TO:<x@other.example>")).code, "the proxy itself relays").toBe(250);
    await talk.sayAll("RSET", "XCLIENT ADDR=203.0.113.9", EHLO, "MAIL FROM:<a@shop.example>");
    expect((await talk.say("RCPT TO:<x@other.example>")).code, "the stranger does not").toBe(550);
  });

  it("does not wash a HELO that was judged for another", async () => {
    const service = await startService({ relayNetworks: ["127.0.0.1"] });
    const talk = await openTalk(service.smtp);
    expect((await talk.sayAll("EHLO relay.example.net", MAIL)).code, "one of our own").toBe(250);
    await talk.sayAll("RSET", "XCLIENT ADDR=203.0.113.9");
    expect((await talk.sayAll("EHLO relay.example.net", MAIL)).code, "a stranger").toBe(550);
  });

  it.each(["XCLIENT", "XCLIENT ADDR=nonsense", "XCLIENT ADDR=300.1.1.1", "XCLIENT FOO=bar", "XCLIENT NAME=a+0D+0Ab"])(
    "refuses %s",
    async (line) => {
      const talk = await openTalk(service().smtp);
      expect((await talk.sayAll(EHLO, line)).code).toBe(501);
      expect((await talk.say(MAIL)).code, "and stays what it was").toBe(250);
    },
  );

  it("is not taken in the middle of a mail", async () => {
    const talk = await openTalk(service().smtp);
    expect((await talk.sayAll(EHLO, MAIL, "XCLIENT ADDR=203.0.113.9")).code).toBe(503);
  });
});

describe("XFORWARD from a trusted proxy", () => {
  it("names the client of each mail, and nothing of one mail is left for the next", async () => {
    const service = await startService();
    await service.house.clients.save(clientOf({ networks: ["198.51.100.0/24"] }));
    const talk = await openTalk(service.smtp);
    const relayedFor = async (ip: string, helo: string): Promise<number> => {
      await talk.sayAll(`XFORWARD NAME=[UNAVAILABLE] ADDR=${ip} HELO=${helo}`, "MAIL FROM:<a@shop.example>");
      const { code } = await talk.say("RCPT TO:<x@other.example>");
      await talk.say("RSET");
      return code;
    };
    await talk.say(EHLO);
    expect(await relayedFor("203.0.113.9", "mx.sender.example")).toBe(550);
    expect(await relayedFor("198.51.100.7", "pc.shop.example")).toBe(250);
    expect(await relayedFor("203.0.113.9", "mx.sender.example")).toBe(550);
    const found = await service.entriesSoon(2);
    expect(found.map(({ clientIp, helo }) => `${clientIp} ${helo}`)).toEqual(
      Array(2).fill("203.0.113.9 mx.sender.example"),
    );
  });
});

describe("the PROXY header of a trusted proxy", () => {
  const service = sharedService({ listeners: [{ door: "smtp", listen: "127.0.0.1:0", proxyHeader: true }] });
  const header = "PROXY TCP4 203.0.113.9 127.0.0.1 4321 25\r\n";

  it("names the client before anything is said", async () => {
    const talk = await openTalk(service().smtp, header);
    await talk.sayAll(EHLO, MAIL, "RCPT TO:<x@other.example>");
    const [entry] = await service().entriesSoon(1);
    expect(entry).toMatchObject({ clientIp: "203.0.113.9", clientPort: 4321 });
  });

  it("over IPv6, in pieces, and with the first command behind it", async () => {
    const talk = await openTalk(service().smtp, "PROXY TCP6 2001:db8::9 ::1 4321 25\r\n");
    await talk.sayAll(EHLO, MAIL, "RCPT TO:<y@other.example>");
    const [entry] = await service().entriesSoon(1, { recipient: "y@other.example" });
    expect(entry?.clientIp).toBe("2001:db8::9");
  });

  it("takes the proxy's trust with it: the client behind it may not say XCLIENT", async () => {
    const talk = await openTalk(service().smtp, header);
    expect((await talk.say(EHLO)).text).not.toContain("XCLIENT");
    expect((await talk.say("XCLIENT ADDR=127.0.0.1")).code).toBe(550);
  });

  it("that says it does not know leaves the proxy's own address", async () => {
    const talk = await openTalk(service().smtp, "PROXY UNKNOWN\r\n");
    await talk.sayAll(EHLO, MAIL, "RCPT TO:<z@other.example>");
    const [entry] = await service().entriesSoon(1, { recipient: "z@other.example" });
    expect(entry?.clientIp).toBe("127.0.0.1");
  });

  it.each(["EHLO mx.sender.example\r\n", "PROXY TCP4 nonsense 127.0.0.1 1 2\r\n", `PROXY ${"x".repeat(2000)}`])(
    "missing or wrong ends the connection: %.30j",
    async (text) => {
      await expect(openTalk(service().smtp, text)).rejects.toThrow(/hung up/);
    },
  );
});
