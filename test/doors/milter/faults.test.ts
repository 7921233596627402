import { once } from "node:events";
import { duplexPair } from "node:stream";
import { describe, expect, it, vi } from "vitest";
import { SMFIC } from "../../../src/doors/milter/constants.ts";
import type { Edits } from "../../../src/doors/milter/edits.ts";
import { encodeFrame } from "../../../src/doors/milter/frames.ts";
import type { Answer, MailAnswer, MilterHandler } from "../../../src/doors/milter/handler.ts";
import { milterSettings } from "../../../src/doors/milter/options.ts";
import { serveMilter } from "../../../src/doors/milter/protocol.ts";
import { letters, type MilterClient, milterClient, sendMail, V2 } from "../../helpers/milter-client.ts";
import { ALL_ANSWERED, serve, serveSession } from "../../helpers/milter-handler.ts";

const TROUBLE = /^451[- ]4\.3\.0 /;
const broken = (): never => {
  throw new Error("broken");
};
const never = (): Promise<MailAnswer> => new Promise(() => {});

const count = (calls: readonly string[], name: string): number =>
  calls.filter((call) => call.split(" ")[0] === name).length;

describe("a handler that throws", () => {
  const steps = ["mail", "rcpt", "data", "header", "endOfHeaders", "body", "endOfMessage"] as const;

  it.each(steps)(
    "at %s is a 451 for the rest of that mail, an abort, a fault, and nothing for the next mail",
    async (step) => {
      const old = step === "data" ? [] : [{ offer: V2 }];
      for (const options of [{ steps: ALL_ANSWERED }, {}, ...old]) {
        for (const fail of [
          broken,
          async (): Promise<MailAnswer> => broken(),
          () => undefined as unknown as MailAnswer,
        ]) {
          let first = true;
          const handler: Partial<MilterHandler> = {
            [step]: () => {
              if (!first) return "continue";
              first = false;
              return fail();
            },
          };
          const { client, calls, faults } = await serveSession(handler, options);
          const seen = [...(await sendMail(client)), ...(await client.endOfMessage())];
          const answers = seen.filter((one) => one !== undefined);
          const bad = answers.findIndex((one) => one.letter !== "c");
          expect(letters(answers.slice(bad))).toMatch(/^y+$/);
          for (const one of answers.slice(bad)) expect(one.parts[0]).toMatch(TROUBLE);
          expect(count(calls, "abort")).toBe(1);
          expect(faults.filter((fault) => fault.kind === "handler")).toHaveLength(1);
          expect(letters([...(await sendMail(client)), ...(await client.endOfMessage())])).toMatch(/^[c.]+c$/);
        }
      }
    },
  );

  it.each(["connect", "helo"] as const)("at %s refuses the whole session, and only this one", async (step) => {
    let first = true;
    const { client, faults } = serve({
      [step]: (): Answer => {
        if (!first) return "continue";
        first = false;
        return broken();
      },
    });
    await client.negotiate();
    const seen = [
      await client.connect(),
      await client.helo(),
      ...(await sendMail(client)),
      ...(await client.endOfMessage()),
    ];
    expect(letters(seen)).toMatch(/^c?[y.]+y$/);
    expect(faults[0]).toMatchObject({ kind: "handler", during: step });
    client.quitNc();
    expect(letters([await client.connect(), await client.helo(), await client.mail("<a@b>")])).toBe("ccc");
  });

  it("in abort or close is noted, and no more", async () => {
    const { client, faults } = await serveSession({ abort: broken, close: broken });
    await client.mail("<a@b>");
    client.abort();
    expect(letters([await client.mail("<a@b>")])).toBe("c");
    client.quitNc();
    expect(letters([await client.connect()])).toBe("c");
    expect(faults.map((fault) => fault.during)).toEqual(["abort", "abort", "close"]);
  });

  it("before there is one ends the connection", async () => {
    const heard: unknown[] = [];
    const [ours, theirs] = duplexPair();
    serveMilter(ours, broken, milterSettings({ onFault: (fault) => heard.push(fault.during) }));
    await expect(milterClient(theirs).negotiate()).rejects.toThrow();
    expect(heard).toEqual(["start"]);
  });
});

describe("a handler that does not answer", () => {
  it.each(["mail", "rcpt", "body", "endOfMessage"] as const)(
    "at %s is a 451 in time, and is not called again",
    async (step) => {
      const { client, calls, faults } = await serveSession(
        { [step]: never },
        { steps: { body: "answer" }, commandTimeoutMs: 10, contentTimeoutMs: 10 },
      );
      const seen = [...(await sendMail(client)), ...(await client.endOfMessage())];
      expect(letters(seen)).toMatch(/^[c.]*[y.]*y$/);
      expect(String(faults[0]?.error)).toContain("10 ms");
      const before = calls.length;
      expect(letters([await client.mail("<a@b>")])).toBe("y");
      expect(calls.length).toBe(before);
    },
  );

  it("and then makes edits or progress makes none", async () => {
    let kept: Edits | undefined;
    const { client } = await serveSession(
      {
        endOfMessage: (edits) => {
          kept = edits;
          return never();
        },
      },
      { contentTimeoutMs: 10 },
    );
    await sendMail(client);
    expect(letters(await client.endOfMessage())).toBe("y");
    kept?.progress();
    expect(() => kept?.addHeader("A", "b")).toThrow(RangeError);
    expect(letters([await client.mail("<a@b>")])).toBe("y");
  });

  it("over the last piece of a body is not called for the end of that mail", async () => {
    const answer = Promise.withResolvers<MailAnswer>();
    const { client, calls } = await serveSession({ body: () => answer.promise }, { contentTimeoutMs: 10 });
    await sendMail(client, { body: [] });
    expect(letters(await client.endOfMessage(Buffer.from("rest")))).toBe("y");
    answer.resolve("continue");
    expect(letters([await client.mail("<a@b>")])).toBe("y");
    expect(calls).not.toContain("endOfMessage");
  });

  it("but does so later than the idle time is waited for", async () => {
    const slow = (): Promise<MailAnswer> => new Promise((resolve) => setTimeout(() => resolve("accept"), 60));
    const { client } = await serveSession({ endOfMessage: slow }, { idleTimeoutMs: 20 });
    await sendMail(client);
    expect(letters(await client.endOfMessage())).toBe("a");
  });

  it("and then does is not heard", async () => {
    let late = (_: MailAnswer): void => {};
    const { client } = await serveSession(
      { mail: () => new Promise((resolve) => (late = resolve)) },
      { commandTimeoutMs: 10 },
    );
    expect((await client.mail("<a@b>"))?.parts[0]).toMatch(TROUBLE);
    late("accept");
    expect((await client.mail("<c@d>"))?.parts[0]).toMatch(TROUBLE);
  });
});

describe("commands out of order", () => {
  type Send = (client: MilterClient) => Promise<unknown>;
  const begun: Send = (client) => client.mail("<a@b>");
  const cases: [string, Send[], Buffer][] = [
    ["RCPT without MAIL", [], encodeFrame(SMFIC.RCPT, "<a@b>\0")],
    ["DATA without MAIL", [], encodeFrame(SMFIC.DATA)],
    ["DATA without RCPT", [begun], encodeFrame(SMFIC.DATA)],
    ["a header without RCPT", [begun], encodeFrame(SMFIC.HEADER, "A\0b\0")],
    ["the end of headers without MAIL", [], encodeFrame(SMFIC.EOH)],
    ["a body without MAIL", [], encodeFrame(SMFIC.BODY, "x")],
    ["a body before the end of headers", [begun, (client) => client.rcpt("<c@d>")], encodeFrame(SMFIC.BODY, "x")],
    ["the end without MAIL", [], encodeFrame(SMFIC.BODYEOB)],
    ["the end right after RCPT", [begun, (client) => client.rcpt("<c@d>")], encodeFrame(SMFIC.BODYEOB)],
    [
      "RCPT after DATA",
      [begun, (client) => client.rcpt("<c@d>"), (client) => client.data()],
      encodeFrame(SMFIC.RCPT, "<e@f>\0"),
    ],
    ["DATA after the headers", [(client) => sendMail(client, { body: [] })], encodeFrame(SMFIC.DATA)],
    [
      "a header after the end of headers",
      [(client) => sendMail(client, { body: [] })],
      encodeFrame(SMFIC.HEADER, "A\0b\0"),
    ],
    ["a header after the body", [(client) => sendMail(client)], encodeFrame(SMFIC.HEADER, "A\0b\0")],
    ["RCPT after the body", [(client) => sendMail(client)], encodeFrame(SMFIC.RCPT, "<e@f>\0")],
  ];

  it.each(cases)("%s is refused, and so is all of that mail", async (_, before, frame) => {
    const { client, calls, faults } = await serveSession({}, { steps: ALL_ANSWERED });
    for (const send of before) await send(client);
    client.raw(frame);
    expect((await client.answer())?.parts[0]).toMatch(TROUBLE);
    expect(letters(await client.endOfMessage())).toBe("y");
    expect(count(calls, "abort")).toBe(before.length > 0 ? 1 : 0);
    expect(count(calls, "endOfMessage")).toBe(0);
    expect(faults.every((fault) => fault.kind === "peer")).toBe(true);
    expect(letters([...(await sendMail(client)), ...(await client.endOfMessage())])).toBe("ccccccc");
  });

  it("are refused at the end where nobody waits for an answer before", async () => {
    const { client } = await serveSession();
    await sendMail(client);
    await client.header("Late", " x");
    expect(letters(await client.endOfMessage())).toBe("y");
  });

  it("before CONNECT are refused", async () => {
    const { client, calls } = serve();
    await client.negotiate();
    expect(letters([await client.helo(), await client.mail("<a@b>")])).toBe("yy");
    expect(calls).toEqual([]);
  });

  it("end the connection when CONNECT comes twice", async () => {
    const { client } = await serveSession();
    expect(await client.connect()).toBeUndefined();
  });

  it("after a refused DATA are refused: the mail is over", async () => {
    const { client, calls } = await serveSession({ data: () => "reject" });
    expect(letters(await sendMail(client, { headers: [], body: [] }))).toBe("ccr.");
    expect(letters([await client.data(), await client.rcpt("<c@d>")])).toBe("yy");
    expect(calls).not.toContain("abort");
  });
});

describe("a mail given up", () => {
  it.each([
    ["ABORT", (client: MilterClient) => client.abort()],
    ["the next MAIL", () => {}],
    ["HELO", (client: MilterClient) => void client.helo()],
  ])("by %s is aborted once, and the next begins clean", async (_, giveUp) => {
    const { client, calls } = await serveSession({ body: () => "reject" });
    await client.mail("<a@b>");
    await client.rcpt("<c@d>");
    giveUp(client);
    client.abort();
    const seen = await sendMail(client, { body: [] });
    expect(letters(seen)).toMatch(/^c+\.+$/);
    expect(letters(await client.endOfMessage())).toBe("c");
    expect(count(calls, "abort")).toBe(1);
  });

  it("by HELO is over before the handler hears of the HELO", async () => {
    const { client, calls } = await serveSession();
    await client.mail("<a@b>");
    await client.helo("again");
    expect(calls.slice(-2)).toEqual(["abort", "helo again"]);
  });

  it("after the handler refused it where nobody waited is not aborted", async () => {
    const { client, calls } = await serveSession({ header: () => "reject" });
    await sendMail(client);
    client.abort();
    expect(letters([await client.mail("<a@b>")])).toBe("c");
    expect(calls).not.toContain("abort");
  });

  it("by nobody is not aborted: between mails, before the first, after a decision", async () => {
    const { client, calls } = await serveSession({ data: () => "accept" });
    client.abort();
    await client.mail("<a@b>");
    await client.rcpt("<c@d>");
    expect((await client.data())?.letter).toBe("a");
    client.abort();
    await client.mail("<e@f>");
    expect(calls).not.toContain("abort");
  });

  it.each([
    ["hangs up", (client: MilterClient) => client.destroy()],
    ["quits", (client: MilterClient) => client.quit()],
    ["begins another session", (client: MilterClient) => client.quitNc()],
  ])("because the peer %s is aborted, then closed", async (_, leave) => {
    const closed = Promise.withResolvers<void>();
    const heard: string[] = [];
    const { client } = await serveSession({
      abort: () => void heard.push("abort"),
      close: () => {
        heard.push("close");
        closed.resolve();
      },
    });
    await client.mail("<a@b>");
    leave(client);
    await closed.promise;
    expect(heard).toEqual(["abort", "close"]);
  });

  it("while its end is being decided is aborted when the answer cannot be sent any more", async () => {
    const deciding = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<MailAnswer>();
    const closed = Promise.withResolvers<void>();
    const heard: string[] = [];
    const { client } = await serveSession({
      endOfMessage: () => {
        deciding.resolve();
        return answer.promise;
      },
      abort: () => void heard.push("abort"),
      close: () => {
        heard.push("close");
        closed.resolve();
      },
    });
    await sendMail(client);
    client.raw(encodeFrame(SMFIC.BODYEOB));
    await deciding.promise;
    client.destroy();
    await once(client.socket, "close");
    expect(heard).toEqual([]);
    answer.resolve("accept");
    await closed.promise;
    expect(heard).toEqual(["abort", "close"]);
  });
});

describe("a peer faster than the handler", () => {
  it("waits: one step at a time, and a bound on what is held", async () => {
    const gate = Promise.withResolvers<MailAnswer>();
    let running = 0;
    let most = 0;
    let bytes = 0;
    const body = async (chunk: Buffer): Promise<MailAnswer> => {
      running += 1;
      most = Math.max(most, running);
      bytes += chunk.length;
      await gate.promise;
      running -= 1;
      return "continue";
    };
    const { client } = await serveSession({ body });
    await sendMail(client, { body: [] });
    const piece = encodeFrame(SMFIC.BODY, Buffer.alloc(65_535));
    for (let i = 0; i < 200; i += 1) client.raw(piece);
    await vi.waitFor(() => expect(bytes).toBe(65_535));
    for (let i = 0; i < 50; i += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(client.socket.writableLength).toBeGreaterThan(190 * 65_535);
    gate.resolve("continue");
    expect(letters(await client.endOfMessage())).toBe("c");
    expect(bytes).toBe(200 * 65_535);
    expect(most).toBe(1);
  });

  it("that does not read our answers is not read either", async () => {
    let told = 0;
    const { client } = await serveSession({
      rcpt: () => {
        told += 1;
        return { code: 550, enhanced: "5.7.1", lines: Array.from({ length: 30 }, () => "no ".repeat(100)) };
      },
    });
    await client.mail("<a@b>");
    client.socket.pause();
    const many = Buffer.concat(Array.from({ length: 1_000 }, (_, i) => encodeFrame(SMFIC.RCPT, `<${i}@b>\0`)));
    client.raw(many);
    await new Promise((resolve) => setImmediate(resolve));
    expect(told).toBeLessThan(100);
    client.socket.resume();
    for (let i = 0; i < 1_000; i += 1) expect((await client.answer())?.letter).toBe("y");
    expect(told).toBe(1_000);
  });
});

describe("draining", () => {
  it("ends a connection without a mail at once", async () => {
    const { client, connection, calls } = await serveSession();
    connection.drain();
    expect(await client.next()).toBeUndefined();
    expect(calls.at(-1)).toBe("close");
  });

  it("lets the mail in progress come to its answer, and takes no other", async () => {
    const { client, connection, calls } = await serveSession({
      endOfMessage: async (): Promise<MailAnswer> => "accept",
    });
    await client.mail("<a@b>");
    connection.drain();
    await client.rcpt("<c@d>");
    await client.data();
    await client.endOfHeaders();
    expect(letters(await client.endOfMessage())).toBe("a");
    expect(await client.mail("<e@f>")).toBeUndefined();
    expect(calls).not.toContain("abort");
  });
});
