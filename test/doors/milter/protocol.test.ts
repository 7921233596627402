import { describe, expect, it } from "vitest";
import { SMFIC, SMFIF, SMFIP } from "../../../src/doors/milter/constants.ts";
import { encodeFrame, uint32 } from "../../../src/doors/milter/frames.ts";
import type { Answer, MailAnswer, MilterHandler } from "../../../src/doors/milter/handler.ts";
import { letters, sendMail, V2 } from "../../helpers/milter-client.ts";
import { ALL_ANSWERED, serve, serveSession } from "../../helpers/milter-handler.ts";

const TROUBLE = /^451[- ]4\.3\.0 /;
const refusal = { code: 550, enhanced: "5.7.1", lines: ["not so", "100% this way instead"] };

describe("negotiation", () => {
  it("asks an MTA of today for all edits, silence after headers and body, and blanks left alone", async () => {
    const { client, peers } = serve();
    const agreed = await client.negotiate();
    expect(agreed.version).toBe(6);
    expect(agreed.actions).toBe(0xff);
    expect(agreed.steps).toBe(
      SMFIP.NR_HDR | SMFIP.NR_EOH | SMFIP.NR_BODY | SMFIP.NOUNKNOWN | SMFIP.SKIP | SMFIP.HDR_LEADSPC,
    );
    expect([...(peers[0]?.edits ?? [])]).toContain("replaceBody");
  });

  it("asks an MTA of version 2 for nothing it does not know", async () => {
    const { client, peers } = serve();
    expect(await client.negotiate(V2)).toEqual({ version: 2, actions: 0x3f, steps: 0, macros: {} });
    expect(peers[0]?.version).toBe(2);
    expect(peers[0]?.edits.has("changeSender")).toBe(false);
  });

  it("takes an offer without any bits for the first version's", async () => {
    const { client, peers } = serve();
    expect(await client.negotiate({ version: 2, actions: 0, steps: 0 })).toMatchObject({ actions: 0x0f, steps: 0 });
    expect([...(peers[0]?.edits ?? [])]).toEqual(["addHeader", "addRecipient", "deleteRecipient", "replaceBody"]);
  });

  it("speaks no newer version than 6", async () => {
    expect(await serve().client.negotiate({ version: 9, actions: 0xffff_ffff, steps: 0xffff_ffff })).toMatchObject({
      version: 6,
      actions: 0xff,
    });
  });

  it("asks only for the edits wanted", async () => {
    const { client } = serve({}, { edits: ["addHeader", "quarantine"] });
    expect((await client.negotiate()).actions).toBe(SMFIF.ADDHDRS | SMFIF.QUARANTINE);
  });

  it("asks for macros by name where the MTA allows it", async () => {
    const macros = { connect: ["j", "daemon_name"], mail: ["auth_authen", "{auth_type}"], endOfMessage: ["i"] };
    const agreed = await serve({}, { macros }).client.negotiate();
    expect(agreed.macros).toEqual({ 0: "j {daemon_name}", 2: "{auth_authen} {auth_type}", 5: "i" });
    expect(agreed.actions & SMFIF.SETSYMLIST).toBe(SMFIF.SETSYMLIST);
    expect((await serve({}, { macros }).client.negotiate({ actions: 0xff })).macros).toEqual({});
  });

  it("asks for refused recipients when wanted", async () => {
    expect((await serve({}, { rejectedRecipients: true }).client.negotiate()).steps & SMFIP.RCPT_REJ).not.toBe(0);
  });

  it("turns off the steps it ignores", async () => {
    const { client, calls } = serve(
      {},
      { steps: { connect: "ignore", helo: "ignore", body: "ignore", endOfHeaders: "ignore" } },
    );
    const agreed = await client.negotiate();
    const off = SMFIP.NOCONNECT | SMFIP.NOHELO | SMFIP.NOBODY | SMFIP.NOEOH | SMFIP.NOUNKNOWN;
    expect(agreed.steps & 0x37f).toBe(off);
    expect(letters(await sendMail(client))).toBe("ccc...");
    expect(letters(await client.endOfMessage())).toBe("c");
    expect(calls.map((call) => call.split(" ")[0])).toEqual(["mail", "rcpt", "data", "header", "endOfMessage"]);
  });

  it("answers for the handler the ignored steps that an MTA sends all the same", async () => {
    const { client, calls } = serve({}, { steps: { connect: "ignore", body: "ignore" } });
    await client.negotiate({ version: 2, actions: 0x3f, steps: SMFIP.NOHELO });
    expect(letters([await client.connect(), await client.helo()])).toBe("cc");
    expect(letters(await sendMail(client))).toBe("cc.ccc");
    expect(letters(await client.endOfMessage())).toBe("c");
    expect(calls.join()).not.toMatch(/connect|body/);
  });

  it.each([
    ["a version before 2", encodeFrame(SMFIC.OPTNEG, uint32(1), uint32(0), uint32(0))],
    ["an offer cut short", encodeFrame(SMFIC.OPTNEG, uint32(6), uint32(0))],
    ["anything else first", encodeFrame(SMFIC.HELO, "x\0")],
    ["a length that cannot be", uint32(0xffff_ffff)],
    ["an SMTP or HTTP client", Buffer.from("GET / HTTP/1.0\r\n\r\n")],
  ])("hangs up at %s", async (_, bytes) => {
    const { client, calls, faults } = serve();
    client.raw(bytes);
    expect(await client.next()).toBeUndefined();
    expect(faults.map((fault) => fault.kind)).toEqual(["peer"]);
    expect(calls).toEqual([]);
  });

  it("hangs up at a second negotiation", async () => {
    const { client, calls } = serve();
    await client.negotiate();
    client.raw(encodeFrame(SMFIC.OPTNEG, uint32(6), uint32(0), uint32(0)));
    expect(await client.next()).toBeUndefined();
    expect(calls).toEqual(["close"]);
  });

  it("hangs up when nothing comes in time", async () => {
    const { client, faults } = serve({}, { negotiationTimeoutMs: 20 });
    expect(await client.next()).toBeUndefined();
    expect(String(faults[0]?.error)).toContain("no option negotiation");
  });

  it("hangs up on a peer that sends half a frame and stops", async () => {
    const { client, calls } = await serveSession({}, { idleTimeoutMs: 30 });
    client.raw(encodeFrame(SMFIC.MAIL, "<a@b>\0").subarray(0, 7));
    expect(await client.next()).toBeUndefined();
    expect(calls.at(-1)).toBe("close");
  });
});

describe("what the handler hears", () => {
  it("is the mail step by step, with everything the MTA said", async () => {
    const { client, calls } = serve({}, { steps: ALL_ANSWERED });
    await client.negotiate();
    await client.connect("[192.0.2.7]", "192.0.2.7", 51_234);
    await client.helo("mail.example.org");
    await client.unknown("XFOO bar");
    await client.mail("<anna@example.org>", "SIZE=123", "BODY=8BITMIME");
    await client.rcpt("<bert@example.com>", "NOTIFY=NEVER");
    await client.rcpt("<zoë@example.com>");
    await client.data();
    await client.header("Subject", " one\n\ttwo");
    await client.header("X-Odd", "\xff\t");
    await client.endOfHeaders();
    await client.body("0123456789");
    await client.endOfMessage();
    client.quit();
    expect(await client.next()).toBeUndefined();
    expect(calls).toEqual([
      "connect [192.0.2.7] inet 192.0.2.7 51234",
      "helo mail.example.org",
      "unknown XFOO bar",
      "mail <anna@example.org> SIZE=123 BODY=8BITMIME",
      "rcpt <bert@example.com> NOTIFY=NEVER",
      "rcpt <zoë@example.com>",
      "data",
      "header Subject: one\r\n\ttwo",
      "header X-Odd:\xff\t",
      "endOfHeaders",
      "body 10",
      "endOfMessage",
      "close",
    ]);
  });

  it("has the blank after the colon back where an old MTA ate it", async () => {
    const { client, calls } = await serveSession({}, { offer: V2 });
    await sendMail(client, { headers: [["Subject", "hello"]] });
    expect(calls).toContain("header Subject: hello");
  });

  it.each([
    ["2001:db8::7", "inet6 2001:db8::7 40000"],
    ["IPv6:2001:db8::7", "inet6 2001:db8::7 40000"],
    ["/run/client.sock", "unix /run/client.sock 40000"],
    ["198.51.100.1", "inet 198.51.100.1 40000"],
  ])("has the address %s as what it is", async (address, heard) => {
    const { client, calls } = serve();
    await client.negotiate();
    await client.connect("host", address);
    expect(calls).toEqual([`connect host ${heard}`]);
  });

  it("has no address where the MTA knows none", async () => {
    const { client, calls } = serve();
    await client.negotiate();
    client.raw(encodeFrame(SMFIC.CONNECT, "localhost\0U"));
    expect((await client.answer())?.letter).toBe("c");
    expect(calls).toEqual(["connect localhost unknown  0"]);
  });

  it.each([
    ["connect without an end", encodeFrame(SMFIC.CONNECT, "localhost")],
    ["connect with a family unheard of", encodeFrame(SMFIC.CONNECT, "h\0X\0\0x\0")],
    ["connect with no IP address", encodeFrame(SMFIC.CONNECT, "h\x004\0\0mail.example\0")],
    ["connect cut after the port", encodeFrame(SMFIC.CONNECT, "h\x004\0\0")],
    ["helo without an end", encodeFrame(SMFIC.HELO, "h")],
    ["mail without an address", encodeFrame(SMFIC.MAIL)],
    ["mail without an end", encodeFrame(SMFIC.MAIL, "<a@b>")],
    ["mail of endless parameters", encodeFrame(SMFIC.MAIL, "\0".repeat(3_000))],
    ["header without a value", encodeFrame(SMFIC.HEADER, "Subject\0")],
    ["header of three strings", encodeFrame(SMFIC.HEADER, "Subject\0a\0b\0")],
    ["macros without an end", encodeFrame(SMFIC.MACRO, "Cj\0host")],
    ["macros for nothing", encodeFrame(SMFIC.MACRO)],
    ["a command unknown", encodeFrame(0x7a)],
  ])("ends with the connection at %s", async (_, bytes) => {
    const { client, calls, faults } = serve();
    await client.negotiate();
    client.raw(bytes);
    expect(await client.next()).toBeUndefined();
    expect(calls).toEqual(["close"]);
    expect(faults).toHaveLength(1);
  });

  it("is one handler for each SMTP session of a connection that is used again", async () => {
    const { client, calls, peers } = await serveSession();
    await sendMail(client);
    await client.endOfMessage();
    client.quitNc();
    await client.connect("next.example.org");
    expect(peers).toHaveLength(2);
    expect(calls.slice(-2)).toEqual(["close", "connect next.example.org inet 192.0.2.7 40000"]);
  });

  it("has a last piece of body that came along with the end", async () => {
    const { client, calls } = await serveSession();
    await sendMail(client);
    expect(letters(await client.endOfMessage(Buffer.from("rest")))).toBe("c");
    expect(calls.slice(-3)).toEqual(["body 7", "body 4", "endOfMessage"]);
  });
});

describe("macros", () => {
  const heard: string[] = [];
  const look = (...names: string[]): Partial<MilterHandler> => {
    heard.length = 0;
    const at = (step: string, macros: { get(name: string): string | undefined }): Answer => {
      heard.push(`${step} ${names.map((name) => macros.get(name) ?? "-").join(" ")}`);
      return "continue";
    };
    return {
      helo: (_, macros) => at("helo", macros) as "continue",
      mail: (_, macros) => at("mail", macros) as "continue",
      rcpt: (_, macros) => at("rcpt", macros) as "continue",
      header: (_, __, macros) => at("header", macros) as "continue",
      endOfMessage: (_, macros) => at("eom", macros) as "continue",
    };
  };

  it("are found with and without braces, the latest stage first", async () => {
    const { client } = serve(look("j", "{auth_authen}", "rcpt_addr", "i"));
    await client.negotiate();
    client.macro(SMFIC.CONNECT, { j: "mx.example.net", "{daemon_name}": "x" });
    await client.connect();
    await client.helo();
    client.macro(SMFIC.MAIL, { "{auth_authen}": "anna" });
    await client.mail("<a@b>");
    client.macro(SMFIC.RCPT, { "{rcpt_addr}": "one@b" });
    await client.rcpt("<one@b>");
    client.macro(SMFIC.RCPT, { "{rcpt_addr}": "two@b", j: "other" });
    await client.rcpt("<two@b>");
    await client.data();
    client.macro(SMFIC.HEADER, { i: "QUEUEID" });
    await client.header("A", " b");
    await client.endOfHeaders();
    client.macro(SMFIC.BODYEOB, { i: "QUEUEID2" });
    await client.endOfMessage();
    expect(heard).toEqual([
      "helo mx.example.net - - -",
      "mail mx.example.net anna - -",
      "rcpt mx.example.net anna one@b -",
      "rcpt other anna two@b -",
      "header other anna two@b QUEUEID",
      "eom other anna two@b QUEUEID2",
    ]);
  });

  it.each([
    ["the end of a mail", async (client: Served["client"]) => void (await client.endOfMessage())],
    ["an abort", async (client: Served["client"]) => client.abort()],
    ["nothing but the next mail", async () => {}],
  ])("of one mail are not those of the next after %s", async (_, between) => {
    const { client } = serve(look("auth_authen"));
    await client.negotiate();
    await client.connect();
    await client.helo();
    client.macro(SMFIC.MAIL, { "{auth_authen}": "anna" });
    await sendMail(client);
    await between(client);
    await client.mail("<stranger@b>");
    await client.rcpt("<c@d>");
    expect(heard.slice(-2)).toEqual(["mail -", "rcpt -"]);
  });

  it("of one HELO are not those of the next, nor those of one session those of another", async () => {
    const { client } = serve(look("cipher", "j"));
    await client.negotiate();
    client.macro(SMFIC.CONNECT, { j: "here" });
    await client.connect();
    client.macro(SMFIC.HELO, { "{cipher}": "AES" });
    await client.helo();
    await client.helo();
    client.quitNc();
    await client.connect();
    await client.helo();
    expect(heard).toEqual(["helo AES here", "helo - here", "helo - -"]);
  });

  it("of a mail are gone when it is over, before anything else comes", async () => {
    const seen: (string | undefined)[] = [];
    const { client } = serve(
      {
        unknown: (_, macros) => {
          seen.push(macros.get("auth_authen"));
          return "continue";
        },
      },
      { steps: { unknown: "answer" } },
    );
    await client.negotiate();
    await client.connect();
    client.macro(SMFIC.MAIL, { "{auth_authen}": "anna" });
    await sendMail(client);
    await client.unknown("XFOO");
    await client.endOfMessage();
    await client.unknown("XFOO");
    expect(seen).toEqual(["anna", undefined]);
  });

  it("for steps that are turned off are known all the same", async () => {
    const { client } = serve(look("j"), { steps: { connect: "ignore", helo: "ignore" } });
    await client.negotiate();
    client.macro(SMFIC.CONNECT, { j: "here" });
    client.macro(SMFIC.HELO, {});
    await client.mail("<a@b>");
    expect(heard).toEqual(["mail here"]);
  });
});

type Served = Awaited<ReturnType<typeof serveSession>>;

describe("answers", () => {
  const words = [
    ["accept", "a"],
    ["reject", "r"],
    ["tempfail", "t"],
    ["connection-fail", "f"],
  ] as const;

  it.each(words)("%s as a word of its own at every step", async (answer, letter) => {
    for (const step of ["mail", "rcpt", "data", "header", "endOfHeaders", "body", "endOfMessage"] as const) {
      const { client, faults } = await serveSession({ [step]: () => answer }, { steps: ALL_ANSWERED });
      expect(`${step} ${letters(await upTo(client, step))}`).toMatch(new RegExp(`^${step} c*${letter}$`));
      expect(faults).toEqual([]);
    }
  });

  it.each(words)("%s at connect and helo", async (answer, letter) => {
    const { client } = serve({ connect: () => answer });
    await client.negotiate();
    expect((await client.connect())?.letter).toBe(letter);
    const second = serve({ helo: () => answer });
    await second.client.negotiate();
    await second.client.connect();
    expect((await second.client.helo())?.letter).toBe(letter);
  });

  it("a refusal in words of its own: code on each line, percent signs doubled, one NUL at the end", async () => {
    const { client } = await serveSession({ mail: () => refusal });
    client.raw(encodeFrame(SMFIC.MAIL, "<a@b>\0"));
    const frame = await client.next();
    expect(frame?.payload.toString()).toBe("550-5.7.1 not so\r\n550 5.7.1 100%% this way instead\0");
  });

  it("discard from MAIL on, but not before", async () => {
    const { client } = await serveSession({ rcpt: () => "discard" });
    await client.mail("<a@b>");
    expect((await client.rcpt("<c@d>"))?.letter).toBe("d");
    const early = serve({ connect: () => "discard" as "continue" });
    await early.client.negotiate();
    expect((await early.client.connect())?.parts[0]).toMatch(TROUBLE);
    expect(early.faults[0]?.kind).toBe("handler");
  });

  it("shutdown as 421, for every step that follows", async () => {
    const { client, calls } = await serveSession({ mail: () => "shutdown" });
    expect((await client.mail("<a@b>"))?.parts[0]).toMatch(/^421[- ]4\.3\.2 /);
    expect((await client.mail("<a@b>"))?.parts[0]).toMatch(/^421/);
    expect(calls.filter((call) => call.startsWith("mail"))).toEqual([]);
  });

  it("skip once, then no more of this body, but all of the next", async () => {
    const bodies: number[] = [];
    const { client } = await serveSession(
      { body: (chunk) => (bodies.push(chunk.length) > 0 ? "skip" : "continue") },
      { steps: { body: "answer" } },
    );
    expect(letters(await sendMail(client, { body: ["one"] }))).toBe("ccc..s");
    expect(letters([await client.body("more")])).toBe("c");
    expect(letters(await client.endOfMessage())).toBe("c");
    expect(letters(await sendMail(client, { body: ["four"] }))).toBe("ccc..s");
    expect(bodies).toEqual([3, 4]);
  });

  it("skip as continue where the MTA does not know it, or is not waiting", async () => {
    const bodies: number[] = [];
    const body = (chunk: Buffer): "skip" => {
      bodies.push(chunk.length);
      return "skip";
    };
    const old = await serveSession({ body }, { offer: V2 });
    expect(letters(await sendMail(old.client, { body: ["one", "more"] }))).toBe("cc.cccc");
    const silent = await serveSession({ body });
    expect(letters(await sendMail(silent.client, { body: ["one", "more"] }))).toBe("ccc....");
    expect(letters(await silent.client.endOfMessage())).toBe("c");
    expect(bodies).toEqual([3, 3]);
  });

  it("skip is no answer to anything but a body", async () => {
    const { client, faults } = await serveSession({ mail: () => "skip" as "continue" });
    expect((await client.mail("<a@b>"))?.parts[0]).toMatch(TROUBLE);
    expect(faults).toHaveLength(1);
  });

  it("a refusal at RCPT is of this recipient alone", async () => {
    const { client, calls } = await serveSession({ rcpt: ([path]) => (path === "<no@b>" ? refusal : "continue") });
    await client.mail("<a@b>");
    const answers = [
      await client.rcpt("<yes@b>"),
      await client.rcpt("<no@b>"),
      await client.rcpt("<yes2@b>"),
      await client.data(),
    ];
    expect(letters(answers)).toBe("cycc");
    expect(calls).not.toContain("abort");
  });

  it("accept at RCPT takes the rest of the mail unseen, and the next mail is seen again", async () => {
    const { client, calls } = await serveSession({ rcpt: () => "accept" });
    await client.mail("<a@b>");
    expect((await client.rcpt("<c@d>"))?.letter).toBe("a");
    expect(letters([await client.mail("<e@f>"), await client.rcpt("<g@h>")])).toBe("ca");
    expect(calls).not.toContain("abort");
  });

  it.each(["header", "endOfHeaders", "body"] as const)(
    "a refusal at %s that nobody waits for is given at the end",
    async (step) => {
      const { client, calls } = await serveSession({ [step]: () => refusal });
      expect(
        letters(
          await sendMail(client, {
            headers: [
              ["A", " b"],
              ["C", " d"],
            ],
          }),
        ),
      ).toBe("ccc....");
      expect(letters(await client.endOfMessage())).toBe("y");
      expect(calls.filter((call) => call === "abort" || call === "endOfMessage")).toEqual([]);
      expect(letters([await client.mail("<next@b>")])).toBe("c");
    },
  );

  it("a refusal at a silent connect is given at the first step that is answered", async () => {
    const { client } = await serveSession({ connect: () => refusal }, { steps: { connect: "listen", helo: "listen" } });
    expect((await client.mail("<a@b>"))?.letter).toBe("y");
    expect((await client.mail("<a@b>"))?.letter).toBe("y");
    client.quitNc();
    expect(await client.connect()).toBeUndefined();
  });

  it("are promises or not, alike", async () => {
    const { client } = await serveSession({
      mail: async (): Promise<MailAnswer> => "continue",
      rcpt: () => Promise.resolve(refusal),
      endOfMessage: async (): Promise<MailAnswer> => "accept",
    });
    expect(letters(await sendMail(client))).toBe("cyc...");
    expect(letters(await client.endOfMessage())).toBe("a");
  });
});

async function upTo(client: Served["client"], step: string): Promise<Awaited<ReturnType<typeof client.endOfMessage>>> {
  const seen: Awaited<ReturnType<typeof client.mail>>[] = [];
  const all = {
    mail: () => client.mail("<a@b>"),
    rcpt: () => client.rcpt("<c@d>"),
    data: () => client.data(),
    header: () => client.header("Subject", " x"),
    endOfHeaders: () => client.endOfHeaders(),
    body: () => client.body("x"),
  };
  for (const [name, send] of Object.entries(all)) {
    seen.push(await send());
    if (name === step) return seen.filter((one) => one !== undefined);
  }
  return [...seen, ...(await client.endOfMessage())].filter((one) => one !== undefined);
}
