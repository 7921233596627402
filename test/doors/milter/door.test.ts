import { describe, expect, it } from "vitest";
import { SMFIC } from "../../../src/doors/milter/constants.ts";
import { letter } from "../../helpers/letters-now.ts";
import { V2 } from "../../helpers/milter-client.ts";
import { greet, spoken, startMilterService, tellContent, tellMail } from "../../helpers/milter-door.ts";

/** The whole service, its real rules and a store in memory; the MTA's side is played. */
const SHOP = {
  id: "shop",
  kind: "advertiser",
  domains: ["shop.example"],
  networks: ["198.51.100.0/24"],
  disabled: false,
} as const;

async function withShop() {
  const service = await startMilterService();
  await service.house.clients.save(SHOP, "sesame");
  await service.house.consents.grant({
    recipient: "x@other.example",
    advertiser: "shop",
    topics: [],
    proof: { how: "paper" },
  });
  return service;
}

const advertisement = (subject: string): string =>
  letter("buy\n").replace("bob@sender", "a@shop").replace("minutes", subject);

describe("a mail through the milter door", () => {
  it("is accepted without a change, and its entry names the MTA's queue id and the mail's", async () => {
    const service = await startMilterService();
    const mta = await service.mta();
    await greet(mta);
    expect(await tellMail(mta, { queueId: "4XyZ1" })).toEqual({ mail: "ok", rcpts: ["ok"], end: "ok", edits: [] });
    const [received, handed] = await service.entriesSoon(2);
    expect(received).toMatchObject({
      event: "received",
      door: "milter",
      queueId: "4XyZ1",
      sender: "bob@sender.example",
      recipient: "ann@example.com",
      direction: "in",
      clientIp: "203.0.113.9",
      clientPort: 40_025,
      serverIp: "192.0.2.25",
      helo: "mx.sender.example",
    });
    expect(received?.mailId).toMatch(/^[0-9A-Z]{23}$/);
    expect(handed).toMatchObject({ event: "handed-over", queueId: "4XyZ1", mailId: received?.mailId });
  });

  it("is asked for at MAIL, RCPT and the end only", async () => {
    const service = await startMilterService();
    const mta = await service.mta();
    expect([await mta.connect(), await mta.helo()]).toEqual([undefined, undefined]);
    expect(spoken(await mta.mail("<bob@sender.example>"))).toBe("ok");
    expect(spoken(await mta.rcpt("<ann@example.com>"))).toBe("ok");
    expect([
      await mta.data(),
      await mta.header("Subject", " x"),
      await mta.endOfHeaders(),
      await mta.body("x"),
    ]).toEqual(Array(4).fill(undefined));
  });

  it("is refused at its end in our words, with nothing changed", async () => {
    const service = await withShop();
    const mta = await service.mta();
    await greet(mta, "198.51.100.7", "pc.shop.example");
    const heard = await tellMail(mta, {
      from: ["<a@shop.example>"],
      to: [["<x@other.example>"]],
      text: advertisement("sale"),
    });
    expect(heard.end).toMatch(/^550-5\.7\.1 an advertisement must say so/);
    expect(heard.edits).toEqual([]);
    expect(await service.entries()).toMatchObject([
      { event: "refused", client: "shop", queueId: "4QwErTy", rules: ["advertising/subject-label"] },
    ]);
  });

  it("is refused for one recipient at RCPT, and the others get it", async () => {
    const service = await startMilterService();
    const mta = await service.mta();
    await greet(mta);
    const heard = await tellMail(mta, { to: [["<x@other.example>"], ["<ann@example.com>"]] });
    expect(heard.rcpts[0]).toMatch(/^550-5\.7\.1 relaying denied/);
    expect([heard.rcpts[1], heard.end]).toEqual(["ok", "ok"]);
    expect((await service.entriesSoon(3)).map(({ event, recipient }) => `${event} ${recipient}`)).toEqual([
      "refused x@other.example",
      "received ann@example.com",
      "handed-over ann@example.com",
    ]);
  });

  it("loses the recipients who may not have it, however they were written, and its X-Ad", async () => {
    const service = await withShop();
    await service.house.clients.save({ ...SHOP, kind: "isp-customer" });
    const mta = await service.mta();
    await greet(mta, "198.51.100.7", "pc.shop.example");
    const heard = await tellMail(mta, {
      from: ["<a@shop.example>"],
      to: [["<x@other.example>"], ["<Y@Other.Example>", "NOTIFY=NEVER"], ['<"y"@other.example>']],
      text: advertisement("AD sale").replace("Subject", "X-Ad: yes\nx-ad: once more\nSubject"),
    });
    expect(heard.end).toBe("ok");
    expect(heard.edits).toEqual(["- <Y@Other.Example>", '- <"y"@other.example>', "m 2 x-ad ", "m 1 X-Ad "]);
    const entries = await service.entriesSoon(3);
    expect(entries.map(({ event, recipient }) => `${event} ${recipient}`).sort()).toEqual([
      "handed-over x@other.example",
      "received x@other.example",
      "refused Y@other.example",
    ]);
  });

  it.each([
    [
      "who may not be left out",
      { version: 6, actions: 0x1ff & ~0x08, steps: 0x1f_ffff },
      /^550-5\.7\.1 some recipients/,
    ],
    ["when X-Ad cannot be taken out", { version: 6, actions: 0x1ff & ~0x10, steps: 0x1f_ffff }, /^451-4\.3\.5 /],
  ])("is refused as a whole %s", async (_, offer, answer) => {
    const service = await withShop();
    await service.house.clients.save({ ...SHOP, kind: "isp-customer" });
    const mta = await service.mta(offer);
    await greet(mta, "198.51.100.7", "pc.shop.example");
    const heard = await tellMail(mta, {
      from: ["<a@shop.example>"],
      to: [["<x@other.example>"], ["<y@other.example>"]],
      text: advertisement("AD sale").replace("Subject", "X-Ad: yes\nSubject"),
    });
    expect(heard.end).toMatch(answer);
    expect(heard.edits).toEqual([]);
    const events = (await service.entriesSoon(2)).map(({ event }) => event);
    expect(events).not.toContain("handed-over");
  });
});

describe("several mails over one connection", () => {
  it("do not know of each other, whatever became of them", async () => {
    const service = await startMilterService();
    const mta = await service.mta();
    await greet(mta);
    expect((await tellMail(mta, { from: ["<boss@example.com>"] })).mail).toMatch(/^550-5\.7\.1 the sender claims/);
    expect((await tellMail(mta, { to: [["<x@other.example>"]] })).rcpts[0]).toMatch(/^550/);
    mta.abort();
    expect((await tellMail(mta, { text: letter("", "From: two@sender.example\n") })).end).toMatch(/^550-5\.6\.0/);
    expect((await tellMail(mta, { queueId: "LAST" })).end).toBe("ok");
    const received = (await service.entriesSoon(5)).filter(({ event }) => event === "received");
    expect(received).toMatchObject([{ recipient: "ann@example.com", queueId: "LAST" }]);
  });

  const MAIL = ["<bob@sender.example>"] as const;
  it.each(["MAIL", "RCPT", "DATA", "header", "end of headers", "body"])(
    "an abort after %s leaves nothing",
    async (after) => {
      const service = await startMilterService();
      const mta = await service.mta();
      await greet(mta);
      const steps: [string, () => Promise<unknown>][] = [
        ["MAIL", () => mta.mail(...MAIL)],
        ["RCPT", () => mta.rcpt("<ann@example.com>")],
        ["DATA", () => mta.data()],
        ["header", () => mta.header("Subject", " not this")],
        ["end of headers", () => mta.endOfHeaders()],
        ["body", () => mta.body("not this\r\n")],
      ];
      for (const [name, step] of steps) {
        await step();
        if (name === after) break;
      }
      mta.abort();
      expect((await tellMail(mta, { queueId: "NEXT" })).end).toBe("ok");
      expect(await service.entriesSoon(2)).toMatchObject([{ queueId: "NEXT" }, { queueId: "NEXT" }]);
    },
  );

  it("belong to different clients after QUIT_NC", async () => {
    const service = await withShop();
    const mta = await service.mta();
    await greet(mta, "198.51.100.7", "pc.shop.example");
    expect(
      (await tellMail(mta, { from: ["<a@shop.example>"], to: [["<x@other.example>"]], text: advertisement("AD x") }))
        .end,
    ).toBe("ok");
    mta.quitNc();
    await greet(mta);
    expect((await tellMail(mta, { to: [["<x@other.example>"]] })).rcpts[0]).toMatch(/^550-5\.7\.1 relaying denied/);
  });

  it("hears a mail of version 2, which has no DATA and no leading blanks", async () => {
    const service = await startMilterService();
    const mta = await service.mta(V2);
    await greet(mta);
    expect((await tellMail(mta, { text: letter().replaceAll(": ", ":") })).end).toBe("ok");
    expect((await service.entriesSoon(1))[0]).toMatchObject({ event: "received" });
  });
});

describe("who is there", () => {
  it("is the client behind the login that the MTA has checked", async () => {
    const service = await withShop();
    const mta = await service.mta();
    await greet(mta, "198.51.100.7", "laptop");
    const text = advertisement("AD sale");
    const mail = { from: ["<a@shop.example>"], to: [["<x@other.example>"]], text, login: "shop" };
    expect((await tellMail(mta, mail)).end).toBe("ok");
    expect((await service.entriesSoon(1))[0]).toMatchObject({ client: "shop", login: "shop" });
  });

  it("is held to the networks of that client", async () => {
    const service = await withShop();
    const mta = await service.mta();
    await greet(mta);
    expect((await tellMail(mta, { from: ["<a@shop.example>"], login: "shop" })).mail).toMatch(
      /^550-5\.7\.1 this login may not be used/,
    );
  });

  it("is the client of its network when the login is nobody's", async () => {
    const service = await withShop();
    const mta = await service.mta();
    await greet(mta, "198.51.100.7", "laptop");
    const text = advertisement("AD sale");
    const mail = { from: ["<a@shop.example>"], to: [["<x@other.example>"]], text, login: "anna" };
    expect((await tellMail(mta, mail)).end).toBe("ok");
    expect((await service.entriesSoon(1))[0]).toMatchObject({ client: "shop", login: "anna" });
  });

  it("has to be a client where the daemon is named for submission", async () => {
    const service = await startMilterService();
    const mta = await service.mta();
    mta.macro(SMFIC.CONNECT, { "{daemon_name}": "ORIGINATING" });
    await mta.connect("client.sender.example", "203.0.113.9");
    expect(spoken(await mta.mail("<bob@sender.example>"))).toMatch(/^530-5\.7\.0 this port is for clients only/);
  });

  it("has its TLS and the MTA's address in the entry", async () => {
    const service = await startMilterService();
    const mta = await service.mta();
    mta.macro(SMFIC.CONNECT, { "{if_addr}": "IPv6:2001:DB8:0::25", "{daemon_port}": "25" });
    await mta.connect("mx.sender.example", "IPv6:2001:db8::9");
    mta.macro(SMFIC.HELO, { "{tls_version}": "TLSv1.3", "{cipher}": "TLS_AES_256_GCM_SHA384" });
    await mta.helo("MX.sender.example");
    await tellMail(mta);
    expect((await service.entriesSoon(1))[0]).toMatchObject({
      tls: "TLSv1.3 TLS_AES_256_GCM_SHA384",
      serverIp: "2001:db8::25",
      clientIp: "2001:db8::9",
      helo: "mx.sender.example",
    });
  });

  it.each([
    ["Postfix's own command line", "localhost", "127.0.0.1", 0, "ok"],
    ["a client of this machine by SMTP", "localhost", "127.0.0.1", 40_000, "550"],
    ["an address that is not known", "unknown", "", 0, "550"],
  ])("for mail from %s decides whether it is the operator's own", async (_, hostname, address, port, answer) => {
    const service = await startMilterService();
    const mta = await service.mta();
    if (address) await mta.connect(hostname, address, port);
    else mta.raw(Buffer.from("\0\0\0\x0aCunknown\0U", "latin1"));
    await mta.helo("mail.example.com.invalid");
    expect(spoken(await mta.mail("<root@mail.example.net>"))).toBe("ok");
    expect(spoken(await mta.rcpt("<x@other.example>")).slice(0, 3)).toBe(answer.slice(0, 3));
  });
});

describe("the envelope", () => {
  const refusal = (code: string) => expect.stringMatching(new RegExp(`^${code.replaceAll(".", "\\.")} `));
  it.each([
    [["<bob>"], refusal("501 5.1.7")],
    [["<bob@sender..example>"], refusal("501 5.1.7")],
    [["Bob <bob@sender.example>"], refusal("501 5.1.7")],
    [["bob@sender.example"], "ok"],
    [["<>"], "ok"],
    [["<bob@localhost>"], expect.stringMatching(/^553-5\.1\.7 the sender address cannot be answered/)],
    [["<用户@sender.example>"], refusal("553 5.6.7")],
    [["<用户@sender.example>", "SMTPUTF8"], "ok"],
    [["<bob@sender.example>", "SIZE=999999999"], expect.stringMatching(/^552-5\.3\.4 /)],
    [["<bob@sender.example>", "SIZE=x"], refusal("501 5.5.4")],
    [["<bob@sender.example>", "SIZE=9", "body=8bitmime", "RET=hdrs", "ENVID=a+2Bb"], "ok"],
    [["<bob@sender.example>", "ENVID=+zz"], refusal("501 5.5.4")],
  ])("MAIL %s is answered %s", async (args, answer) => {
    const service = await startMilterService();
    const mta = await service.mta();
    await greet(mta);
    expect(spoken(await mta.mail(...args))).toEqual(answer);
  });

  it.each([
    [["<ann>"], refusal("501 5.1.3")],
    [["<>"], refusal("501 5.1.3")],
    [["<<ann@example.com>>"], refusal("501 5.1.3")],
    [["ann@example.com"], "ok"],
    [["<Postmaster>"], "ok"],
    [["<安娜@例子.测试>"], refusal("553 5.6.7")],
    [["<@other.example:ann@example.com>"], expect.stringMatching(/^550-5\.7\.1 .*hides another destination/)],
    [["<ann@example.com>", "NOTIFY=SUCCESS,FAILURE", "ORCPT=rfc822;ann+40x"], "ok"],
    [["<ann@example.com>", "ORCPT=+zz"], refusal("501 5.5.4")],
  ])("RCPT %s is answered %s", async (args, answer) => {
    const service = await startMilterService();
    const mta = await service.mta();
    await greet(mta);
    await mta.mail("<bob@sender.example>");
    expect(spoken(await mta.rcpt(...args))).toEqual(answer);
  });

  it("has one entry for a recipient who is named twice, and no more recipients than allowed", async () => {
    const service = await startMilterService({ limits: { recipientsMax: 2 } });
    const mta = await service.mta();
    await greet(mta);
    const to = ["<ann@example.com>", "<Ann@Example.com>", "<ben@example.com>", "<cat@example.com>"].map((one) => [one]);
    const heard = await tellMail(mta, { to });
    expect(heard.rcpts.map((reply) => reply.slice(0, 9))).toEqual(["ok", "ok", "ok", "452-4.5.3"]);
    const received = (await service.entriesSoon(4)).filter(({ event }) => event === "received");
    expect(received.map(({ recipient }) => recipient)).toEqual(["ann@example.com", "ben@example.com"]);
  });
});

describe("a reload or a stop in the middle of a mail", () => {
  it("puts new rules in force for what comes", async () => {
    const service = await startMilterService();
    const mta = await service.mta();
    await greet(mta);
    await mta.mail("<bob@sender.example>");
    await mta.rcpt("<ann@example.com>");
    await service.reload({ localDomains: ["example.org"] });
    expect(spoken(await mta.rcpt("<ben@example.com>"))).toMatch(/^550-5\.7\.1 relaying denied/);
    expect(spoken((await tellContent(mta, letter())).at(-1))).toBe("ok");
  });

  it("lets the mail end, and then hangs up", async () => {
    const service = await startMilterService();
    const mta = await service.mta();
    await greet(mta);
    await mta.mail("<bob@sender.example>");
    await mta.rcpt("<ann@example.com>");
    const closed = service.close();
    expect(spoken((await tellContent(mta, letter())).at(-1))).toBe("ok");
    expect(await mta.next()).toBeUndefined();
    await closed;
  });

  it("hangs up on a client that does not end its mail in time", async () => {
    const service = await startMilterService({ limits: { drainMs: 50 } });
    const mta = await service.mta();
    await greet(mta);
    await mta.mail("<bob@sender.example>");
    const closed = service.close();
    expect(await mta.next()).toBeUndefined();
    await closed;
  });
});
