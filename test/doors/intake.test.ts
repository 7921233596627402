import { describe, expect, it } from "vitest";
import { createIntake, isReply, type Reception } from "../../src/doors/intake.ts";
import type { Transaction } from "../../src/doors/transaction.ts";
import { createIds } from "../../src/kit/ids.ts";
import { createLog } from "../../src/kit/log.ts";
import { Unavailable } from "../../src/kit/trouble.ts";
import type { Entry } from "../../src/ledger/entry.ts";
import { createRecorder } from "../../src/ledger/recorder.ts";
import type { Reply } from "../../src/mail/replies.ts";
import { hold, note, type Rule, reject } from "../../src/rules/define.ts";
import { createMemoryJournal } from "../../src/stores/memory/journal.ts";
import { recipientOf, senderOf, sessionOf } from "../helpers/described.ts";
import { handClock } from "../helpers/hand-clock.ts";
import { contentOf } from "../helpers/letters.ts";
import { type NextHopScript, said, scriptedNextHop } from "../helpers/scripted-next-hop.ts";
import { pipelineOf, ruleOf, settingOf } from "../helpers/settings.ts";
import { until } from "../helpers/wait.ts";

const TEXT = "From: bob@sender.example\r\nX-Ad: yes\r\nMessage-ID: <1@x>\r\n\r\nhello\r\n";
const evidence = { seen: true };

interface Setup {
  readonly nextHop?: NextHopScript;
  readonly rules?: readonly Rule[];
  /** The ledger cannot be written from the so-manieth append on, counted from 1. */
  readonly ledgerFailsFrom?: number;
  readonly receivedMax?: number;
}

/** An intake over a scripted next hop and a journal in memory; `events` tells what happened in which order. */
function intakeOf({ nextHop: script, rules = [], ledgerFailsFrom, receivedMax = 50 }: Setup = {}) {
  const events: string[] = [];
  const clock = handClock();
  const ids = createIds(clock, Buffer.alloc(32, 1));
  const kept = createMemoryJournal();
  let appends = 0;
  const journal = {
    ...kept,
    async append(entries: readonly Entry[]) {
      appends += 1;
      await Promise.resolve();
      if (ledgerFailsFrom !== undefined && appends >= ledgerFailsFrom) throw new Unavailable("ledger", "disk full");
      await kept.append(entries);
      events.push(`ledger: ${entries.map(({ event }) => event).join(" ")}`);
    },
  };
  const { pipeline } = pipelineOf(rules.map((rule, rank) => settingOf(rule, { rank })));
  const nextHop = scriptedNextHop(events, script);
  const intake = createIntake({
    pipeline,
    nextHop,
    ids,
    clock,
    receivedMax,
    recorder: createRecorder(journal, ids, clock),
    log: createLog("silent"),
    hostname: "relay.example.net",
    isLocal: (domain) => domain === "example.com",
  });
  const entries = async (): Promise<Entry[]> => {
    const found: Entry[] = [];
    for await (const entry of kept.find({})) found.push(entry);
    return found;
  };
  return { intake, events, nextHop, entries, reception: intake.open(sessionOf()) };
}

async function begin(reception: Reception): Promise<Transaction> {
  const answer = await reception.mail(senderOf());
  if (isReply(answer)) throw new Error(`refused: ${answer.lines.join(" ")}`);
  return answer;
}

/** One mail from MAIL to the end. */
async function send(reception: Reception, to: readonly string[] = ["ann@example.com"], text = TEXT): Promise<Reply> {
  const transaction = await begin(reception);
  for (const address of to) await transaction.rcpt(recipientOf(address));
  return transaction.data(contentOf(text));
}

describe("an accepted mail", () => {
  it("is in the ledger before the next hop sees the final dot, and the reply comes after that", async () => {
    const { reception, events } = intakeOf();
    const reply = await send(reception);
    events.push(`reply: ${reply.code}`);
    await until("the handover is written down", () => events.some((event) => event.includes("handed-over")));
    expect(events.filter((event) => !event.includes("handed-over"))).toEqual([
      "next hop: rcpt ann@example.com",
      "next hop: data",
      "ledger: received",
      "next hop: final dot",
      "reply: 250",
    ]);
  });

  it("is answered in the next hop's words, with our id", async () => {
    const { reception, entries } = intakeOf();
    const reply = await send(reception);
    expect(reply).toMatchObject({ code: 250, enhanced: "2.0.0" });
    const [received] = await entries();
    expect(reply.lines.at(-1)).toBe(`queued as 7 - id ${received?.mailId}`);
  });

  it("has an entry for each recipient and each word about him", async () => {
    const { reception, entries } = intakeOf();
    await send(reception, ["ann@example.com", "x@other.example"]);
    const found = await until("four entries", async () => ((await entries()).length >= 4 ? entries() : undefined));
    expect(found.map(({ event, recipient, direction, verdict }) => [event, recipient, direction, verdict])).toEqual([
      ["received", "ann@example.com", "in", "accept"],
      ["received", "x@other.example", "out", "accept"],
      ["handed-over", "ann@example.com", "in", "accept"],
      ["handed-over", "x@other.example", "out", "accept"],
    ]);
    expect(found[2]).toMatchObject({ nextHopIp: "192.0.2.99", reply: "250 2.0.0 queued as 7" });
    expect(found[0]).toMatchObject({
      sender: "bob@sender.example",
      clientIp: "203.0.113.9",
      clientPort: 40025,
      serverIp: "192.0.2.25",
      helo: "mx.sender.example",
      messageId: "<1@x>",
      sizeBytes: TEXT.length,
    });
    expect(JSON.stringify(found), "no subject and no body").not.toMatch(/hello|subject/i);
  });

  it("goes on with our trace in front and without X-Ad, and otherwise as it came", async () => {
    const { reception, nextHop } = intakeOf();
    await send(reception);
    const { text = "", changes } = nextHop.received[0] ?? {};
    expect(text).toMatch(/^Received: from mx\.sender\.example \(\[203\.0\.113\.9\]\)\r\n\tby relay\.example\.net /);
    expect(text.slice(text.indexOf("From:"))).toBe(TEXT.replace("X-Ad: yes\r\n", ""));
    expect(changes?.fields).toEqual([{ name: "X-Ad", nth: 1, value: undefined }]);
  });

  it.each([
    ["folded", "From: a@b.example\r\nX-Ad:\r\n yes\r\n\r\n"],
    ["in capitals, with a blank before the colon", "From: a@b.example\r\nX-AD : yes\r\n\r\n"],
    ["twice", "X-Ad: yes\r\nFrom: a@b.example\r\nx-ad: no\r\n\r\n"],
  ])("loses X-Ad %s", async (_, text) => {
    const { reception, nextHop } = intakeOf();
    await send(reception, ["ann@example.com"], text);
    const passedOn = nextHop.received[0]?.text ?? "";
    expect(passedOn.slice(passedOn.indexOf("From:"))).toBe("From: a@b.example\r\n\r\n");
  });

  it("keeps X-Ad in its body", async () => {
    const { reception, nextHop } = intakeOf();
    await send(reception, ["ann@example.com"], "From: a@b.example\r\n\r\nX-Ad: yes\r\n");
    expect(nextHop.received[0]?.text).toMatch(/\r\n\r\nX-Ad: yes\r\n$/);
  });

  it("is not refused because the handover could not be written down: it is delivered", async () => {
    const { reception } = intakeOf({ ledgerFailsFrom: 2 });
    expect((await send(reception)).code).toBe(250);
  });
});

describe("the ledger away", () => {
  it("accepts nothing: the next hop never gets the final dot", async () => {
    const { reception, events } = intakeOf({ ledgerFailsFrom: 1 });
    const reply = await send(reception);
    expect(reply).toMatchObject({
      code: 451,
      enhanced: "4.3.0",
      lines: ["the record of this mail cannot be written", expect.any(String)],
    });
    expect(events).toEqual(["next hop: rcpt ann@example.com", "next hop: data"]);
  });

  it("makes no refusal final either", async () => {
    const strict = ruleOf("made/strict", () => reject("relay-denied", { evidence }), "rcpt");
    const { reception } = intakeOf({ ledgerFailsFrom: 1, rules: [strict] });
    const transaction = await begin(reception);
    expect(await transaction.rcpt(recipientOf("x@other.example"))).toMatchObject({ code: 451, enhanced: "4.3.0" });
  });
});

describe("the next hop", () => {
  const away = new Unavailable("next-hop", "no answer in 5 ms");

  it("is asked for each recipient, and its refusal is the client's answer", async () => {
    const { reception, entries } = intakeOf({
      nextHop: { rcpt: { "ben@example.com": said(550, "5.1.1", "no such user") } },
    });
    const transaction = await begin(reception);
    expect((await transaction.rcpt(recipientOf("ann@example.com"))).code).toBe(250);
    expect(await transaction.rcpt(recipientOf("ben@example.com"))).toEqual(said(550, "5.1.1", "no such user"));
    expect(await entries()).toMatchObject([
      { event: "refused", recipient: "ben@example.com", reply: "550 5.1.1 no such user" },
    ]);
    await transaction.data(contentOf(TEXT));
    expect((await entries()).filter(({ recipient }) => recipient === "ben@example.com")).toHaveLength(1);
  });

  it.each([
    ["puts a recipient off", said(451, "4.2.0", "busy"), 451, "deferred"],
    ["is away at RCPT", away, 451, "deferred"],
    ["breaks at RCPT", new Error("a bug"), 451, "deferred"],
  ])("%s", async (_, act, code, event) => {
    const { reception, entries } = intakeOf({ nextHop: { rcpt: { "ann@example.com": act } } });
    const reply = await (await begin(reception)).rcpt(recipientOf("ann@example.com"));
    expect(reply.code).toBe(code);
    expect(await entries()).toMatchObject([{ event, recipient: "ann@example.com" }]);
  });

  it.each([
    ["is away before the final dot", { beforeReady: away }, 451, "4.4.1", "deferred"],
    ["is away after the final dot", { end: away }, 451, "4.4.1", "deferred"],
    ["breaks", { end: new Error("a bug") }, 451, "4.3.0", "deferred"],
    ["puts the mail off", { end: said(452, "4.3.1", "full") }, 452, "4.3.1", "deferred"],
    ["refuses the mail", { end: said(554, "5.7.1", "spam") }, 554, "5.7.1", "refused"],
  ])("%s: the client hears it and the ledger has both words", async (_, nextHop, code, enhanced, event) => {
    const { reception, entries } = intakeOf({ nextHop });
    expect(await send(reception)).toMatchObject({ code, enhanced });
    expect((await entries()).map((entry) => entry.event)).toEqual(["received", event]);
  });

  it("that answers for each recipient apart gets one at a time: a mixed answer would lose a mail or send it twice", async () => {
    const { reception, events } = intakeOf({ nextHop: { answersEach: true } });
    const transaction = await begin(reception);
    expect((await transaction.rcpt(recipientOf("ann@example.com"))).code).toBe(250);
    expect(await transaction.rcpt(recipientOf("ben@example.com"))).toMatchObject({ code: 452, enhanced: "4.5.3" });
    expect((await transaction.data(contentOf(TEXT))).code).toBe(250);
    expect(events.filter((event) => event.includes("ben@"))).toEqual([]);
  });

  it("that answers for each recipient apart makes a refusal of the worst answer", async () => {
    const { reception, entries } = intakeOf({
      nextHop: { end: [said(250, "2.0.0", "ok"), said(550, "5.2.2", "full")] },
    });
    expect(await send(reception, ["ann@example.com", "ben@example.com"])).toMatchObject({
      code: 550,
      enhanced: "5.2.2",
    });
    expect((await entries()).map(({ event, recipient }) => `${event} ${recipient}`).slice(2)).toEqual([
      "handed-over ann@example.com",
      "refused ben@example.com",
    ]);
  });

  it("keeps nothing of a mail that is given up", async () => {
    const { reception, events } = intakeOf();
    const transaction = await begin(reception);
    await transaction.rcpt(recipientOf("ann@example.com"));
    transaction.abort();
    transaction.abort();
    expect(events).toEqual(["next hop: rcpt ann@example.com", "next hop: abort"]);
  });
});

describe("rules that refuse", () => {
  const refuses = (address: string): Rule =>
    ruleOf(
      "made/header",
      ({ recipients }) => {
        const named = recipients.filter((recipient) => recipient.address.text === address);
        return reject("consent-missing", {
          evidence,
          recipients: named,
          source: { cite: "Law art. 1", confidence: "doc" },
        });
      },
      "header",
    );

  it("some recipients: nobody gets the mail, and the reply names those to leave out", async () => {
    const { reception, events, entries } = intakeOf({ rules: [refuses("ben@example.com")] });
    const reply = await send(reception, ["ann@example.com", "ben@example.com"]);
    expect(reply).toMatchObject({ code: 550, enhanced: "5.7.1" });
    expect(reply.lines.join("\n")).toMatch(
      /some recipients.*\n.*without ben@example\.com\n.*not agreed.*\n.*\nLaw art\. 1 - id /,
    );
    expect(reply.lines.join("\n")).not.toContain("ann@");
    expect(events).toContain("next hop: abort");
    expect((await entries()).map(({ recipient, verdict, rules }) => [recipient, verdict, rules])).toEqual([
      ["ann@example.com", "reject", undefined],
      ["ben@example.com", "reject", ["made/header"]],
    ]);
  });

  it("some recipients, where the next hop can leave them out: the others get it", async () => {
    const { reception, events, nextHop, entries } = intakeOf({
      rules: [refuses("ben@example.com")],
      nextHop: { canDrop: true },
    });
    expect((await send(reception, ["ann@example.com", "ben@example.com"])).code).toBe(250);
    expect(events).toContain("next hop: drop ben@example.com");
    expect(nextHop.received[0]?.recipients).toEqual(["ann@example.com"]);
    expect((await entries()).slice(0, 2).map(({ event, recipient }) => `${event} ${recipient}`)).toEqual([
      "received ann@example.com",
      "refused ben@example.com",
    ]);
  });

  it("many recipients: ten are named and the rest counted", async () => {
    const many = Array.from({ length: 15 }, (_, i) => `r${i}@example.com`);
    const all = ruleOf(
      "made/header",
      (view) => reject("consent-missing", { evidence, recipients: view.recipients.slice(1) }),
      "header",
    );
    const { reception } = intakeOf({ rules: [all] });
    const reply = await send(reception, many);
    expect(reply.lines[1]).toMatch(/without r1@example\.com, .*r10@example\.com and 4 more$/);
  });

  it("everybody: the reply is the rule's alone", async () => {
    const { reception } = intakeOf({ rules: [refuses("ann@example.com")] });
    const reply = await send(reception);
    expect(reply.lines[0]).toMatch(/not agreed/);
    expect(reply.lines.join(" ")).not.toContain("some recipients");
  });

  it("a hold puts the mail off where nobody can keep it, and is kept where somebody can", async () => {
    const rules = [ruleOf("made/hold", () => hold("look at it"), "header")];
    const nobody = intakeOf({ rules });
    expect(await send(nobody.reception)).toMatchObject({ code: 451, enhanced: "4.7.1" });
    expect(await nobody.entries()).toMatchObject([{ event: "deferred", rules: ["made/hold"] }]);
    const somebody = intakeOf({ rules, nextHop: { canHold: true } });
    expect((await send(somebody.reception)).code).toBe(250);
    expect(somebody.events).toContain("next hop: hold made/hold");
    expect((await somebody.entries())[0]).toMatchObject({ event: "held", rules: ["made/hold"] });
  });

  it("at MAIL: no transaction, one entry, no next hop", async () => {
    const { reception, events, entries } = intakeOf({
      rules: [ruleOf("made/mail", () => reject("own-domain", { evidence }))],
    });
    const answer = await reception.mail(senderOf("eve@sender.example"));
    expect(isReply(answer) && answer.code).toBe(550);
    expect(events).toEqual(["ledger: refused"]);
    expect(await entries()).toMatchObject([
      { event: "refused", sender: "eve@sender.example", rules: ["made/mail"], evidence },
    ]);
  });

  it("one recipient's refusal at RCPT is no other's", async () => {
    const rule = ruleOf(
      "made/rcpt",
      ({ recipient }) => (recipient.address.local === "ben" ? reject("relay-denied", { evidence }) : note("seen")),
      "rcpt",
    );
    const { reception, entries } = intakeOf({ rules: [rule] });
    const transaction = await begin(reception);
    expect((await transaction.rcpt(recipientOf("ben@example.com"))).code).toBe(550);
    expect((await transaction.rcpt(recipientOf("ann@example.com"))).code).toBe(250);
    expect((await transaction.data(contentOf(TEXT))).code).toBe(250);
    expect((await entries()).slice(0, 2)).toMatchObject([
      { event: "refused", recipient: "ben@example.com" },
      { event: "received", recipient: "ann@example.com", rules: ["made/rcpt"] },
    ]);
  });
});

describe("HELO", () => {
  const noting = ruleOf(
    "made/helo",
    ({ session }) => (session.helo === "evil" ? reject("helo-forged", { evidence }) : note("seen")),
    "helo",
  );

  it("is judged when the first mail follows it, and what was noted is in that mail's entries", async () => {
    const { reception, entries } = intakeOf({ rules: [noting] });
    await send(reception);
    expect((await entries())[0]).toMatchObject({ event: "received", rules: ["made/helo"] });
  });

  it("is judged again when another name is said, and when another client says the same", async () => {
    let judged = 0;
    const count = () => {
      judged += 1;
      return note("seen");
    };
    const counting = ruleOf("made/helo", count, "helo");
    const { reception } = intakeOf({ rules: [counting] });
    await send(reception);
    await send(reception);
    expect(judged).toBe(1);
    reception.update({ ...sessionOf(), helo: "other.example" });
    await send(reception);
    expect(judged).toBe(2);
    reception.update({ ...sessionOf({ ip: "198.51.100.1" }), helo: "other.example" });
    await send(reception);
    expect(judged).toBe(3);
  });

  it("that is refused is refused again for the next mail", async () => {
    const { reception } = intakeOf({ rules: [noting] });
    reception.update(sessionOf({ helo: "evil" }));
    for (let mails = 0; mails < 2; mails += 1) {
      const answer = await reception.mail(senderOf());
      expect(isReply(answer) && answer.lines[0]).toMatch(/HELO/);
    }
  });
});

describe("what is known of a client", () => {
  it("is what was said last: a login that was undone is gone", async () => {
    const { reception } = intakeOf();
    reception.update({ ...sessionOf({ login: "shop", client: {} }) });
    reception.update(sessionOf());
    expect(reception.session).toEqual(sessionOf());
    expect(reception.session).not.toHaveProperty("client");
  });
});

describe("a mail that goes round", () => {
  it.each([
    [3, 250],
    [4, 554],
  ])("with %i Received lines and at most three hears %i", async (count, code) => {
    const { reception } = intakeOf({ receivedMax: 3 });
    const reply = await send(reception, ["ann@example.com"], `${"Received: from a by b\r\n".repeat(count)}${TEXT}`);
    expect(reply.code).toBe(code);
  });
});

describe("a mail that the door itself refuses", () => {
  it("is written down for every recipient and leaves nothing behind", async () => {
    const { reception, events, entries } = intakeOf();
    const transaction = await begin(reception);
    await transaction.rcpt(recipientOf("ann@example.com"));
    expect(await transaction.refuse("bare-newline")).toMatchObject({ code: 550, enhanced: "5.5.2" });
    expect(events).toEqual(["next hop: rcpt ann@example.com", "next hop: abort", "ledger: refused"]);
    expect(await entries()).toMatchObject([
      { event: "refused", recipient: "ann@example.com", reply: expect.stringContaining("bare CR or LF") },
    ]);
  });
});
