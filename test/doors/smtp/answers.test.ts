import { describe, expect, it } from "vitest";
import { createAnswers } from "../../../src/doors/smtp/answers.ts";
import { Unavailable } from "../../../src/kit/trouble.ts";
import type { Reply } from "../../../src/mail/replies.ts";
import { EHLO, letter, MAIL, RCPT } from "../../helpers/letters-now.ts";
import { type RunningService, startService } from "../../helpers/service.ts";
import { dotted, openTalk } from "../../helpers/smtp-talk.ts";
import { until } from "../../helpers/wait.ts";

const said = (word: string): Reply => ({ code: 550, enhanced: "5.7.1", lines: [word] });
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function lineOf() {
  const wire: string[] = [];
  const answers = createAnswers((lines) => void wire.push(lines));
  const later = () => {
    const { promise, resolve } = Promise.withResolvers<Reply>();
    answers.sayLater(promise);
    return (word: string) => resolve(said(word));
  };
  return { answers, wire, later };
}

describe("what a connection has to say", () => {
  it("goes out in one piece at the end of the turn", async () => {
    const { answers, wire } = lineOf();
    answers.say("250 a\r\n");
    answers.say("250 b\r\n");
    expect(wire).toEqual([]);
    await turn();
    expect(wire).toEqual(["250 a\r\n250 b\r\n"]);
  });

  it("waits behind an answer that may not be spoken yet, and for that alone", async () => {
    const { answers, wire, later } = lineOf();
    answers.say("250 a\r\n");
    const first = later();
    answers.say("250 b\r\n");
    const second = later();
    answers.say("250 c\r\n");
    second("two");
    await turn();
    expect(wire.join("")).toBe("250 a\r\n");
    expect(answers.kept).toBe(2);
    first("one");
    await turn();
    await turn();
    expect(wire.slice(1)).toEqual(["550 5.7.1 one\r\n250 b\r\n550 5.7.1 two\r\n250 c\r\n"]);
    expect(answers.kept).toBe(0);
  });

  it("lets others act, in their order, when nothing waits any more, or at once", async () => {
    const { answers, later } = lineOf();
    const acts: string[] = [];
    answers.whenNoneIsKept(() => acts.push("at once"));
    const only = later();
    answers.whenNoneIsKept(() => acts.push("first"));
    answers.whenNoneIsKept(() => acts.push("second"));
    expect(acts).toEqual(["at once"]);
    only("one");
    await turn();
    expect(acts).toEqual(["at once", "first", "second"]);
  });
});

/** A ledger whose writes wait until they are let go. */
function holdLedger(service: RunningService) {
  const { recorder } = service.house;
  const record = recorder.record.bind(recorder);
  const waiting: (() => void)[] = [];
  let isHeld = true;
  let isAway = false;
  recorder.record = async (...args) => {
    if (isHeld) await new Promise<void>((resolve) => waiting.push(resolve));
    if (isAway) throw new Unavailable("ledger", "disk full");
    return record(...args);
  };
  return {
    get waiting() {
      return waiting.length;
    },
    letGo(away = false) {
      isHeld = false;
      isAway = away;
      for (const each of waiting.splice(0)) each();
    },
  };
}

const ELSEWHERE = "RCPT TO:<x@elsewhere.example>";
const ATTEMPT = [MAIL, ELSEWHERE, "RSET"].join("\r\n");
const codesIn = (heard: string): string | undefined => heard.match(/^\d{3}(?= )/gm)?.join(" ");

describe("refusals of a client that sends commands ahead", () => {
  it("are written down together, and none is heard before", async () => {
    const service = await startService();
    const talk = await openTalk(service.smtp);
    await talk.say(EHLO);
    const ledger = holdLedger(service);
    let heard = "";
    const rest = talk.rest().then((all) => {
      heard = all;
    });
    talk.send(`${ATTEMPT}\r\n${ATTEMPT}\r\n${ATTEMPT}\r\nQUIT\r\n`);
    await until("three refusals wait for the ledger", () => ledger.waiting === 3);
    expect(heard).toBe("");
    ledger.letGo();
    await rest;
    expect(codesIn(heard)).toBe("250 550 250 250 550 250 250 550 250 221");
    expect(await service.entries({ event: "refused" })).toHaveLength(3);
  });

  it("are at most sixteen on their way at a time", async () => {
    const service = await startService();
    const talk = await openTalk(service.smtp);
    await talk.say(EHLO);
    const ledger = holdLedger(service);
    talk.send(`${`${ATTEMPT}\r\n`.repeat(30)}QUIT\r\n`);
    await until("sixteen refusals wait for the ledger", () => ledger.waiting === 16);
    for (let n = 0; n < 20; n += 1) await turn();
    expect(ledger.waiting).toBe(16);
    ledger.letGo();
    expect(codesIn(await talk.rest())?.match(/550/g)).toHaveLength(30);
  });

  it("are no refusals for good where the ledger is away, and the mail beside them goes its way", async () => {
    const service = await startService();
    const talk = await openTalk(service.smtp);
    await talk.say(EHLO);
    const ledger = holdLedger(service);
    talk.send([MAIL, ELSEWHERE, ELSEWHERE, "MAIL", "QUIT", ""].join("\r\n"));
    await until("two refusals wait for the ledger", () => ledger.waiting === 2);
    ledger.letGo(true);
    expect(codesIn(await talk.rest())).toBe("250 451 451 501 221");
  });

  it("leave nobody out: DATA waits for them, and the mail reaches who may have it", async () => {
    const service = await startService();
    const talk = await openTalk(service.smtp);
    await talk.say(EHLO);
    const ledger = holdLedger(service);
    talk.send([MAIL, ELSEWHERE, RCPT, ELSEWHERE, "DATA", ""].join("\r\n"));
    await until("two refusals wait for the ledger", () => ledger.waiting === 2);
    ledger.letGo();
    for (const code of [250, 550, 250, 550, 354]) expect((await talk.hear()).code).toBe(code);
    talk.send(dotted(letter()));
    expect((await talk.hear()).code).toBe(250);
    expect(service.mailsTo("ann@example.com")).toHaveLength(1);
  });
});
