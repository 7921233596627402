/** A refusal that arrives between the last rule and the handover. */
import { describe, expect, it } from "vitest";
import { createIntake, isReply } from "../../src/doors/intake.ts";
import { createIds } from "../../src/kit/ids.ts";
import { createLog } from "../../src/kit/log.ts";
import { Unavailable } from "../../src/kit/trouble.ts";
import { createRecorder } from "../../src/ledger/recorder.ts";
import type { Reply } from "../../src/mail/replies.ts";
import type { RuleSetting } from "../../src/pipeline/settings.ts";
import { createConsentRegister } from "../../src/registers/consents.ts";
import { createFlights, HANDOVER_MS_MAX } from "../../src/registers/flights.ts";
import { recordedConsent } from "../../src/rules/consent/recorded-consent.ts";
import { createMemoryJournal } from "../../src/stores/memory/journal.ts";
import { createMemoryStore } from "../../src/stores/memory/store.ts";
import { contextOf, recipientOf, senderOf, sessionOf } from "../helpers/described.ts";
import { handClock } from "../helpers/hand-clock.ts";
import { contentOf } from "../helpers/letters.ts";
import { type NextHopScript, scriptedNextHop } from "../helpers/scripted-next-hop.ts";
import { pipelineOf, settingOf } from "../helpers/settings.ts";

const [ANN, BEN] = ["ann@example.com", "ben@example.com"];
const AD = "From: news@shop.example\r\nSubject: AD sale\r\nX-Ad: yes\r\n\r\nbuy\r\n";
const shop = sessionOf({ client: { id: "shop", kind: "advertiser" } });

interface Setup {
  readonly nextHop?: NextHopScript;
  readonly mode?: RuleSetting["mode"];
  /** Happens when the flight has begun. */
  readonly meanwhile?: (site: ReturnType<typeof siteOf>) => unknown;
  readonly session?: typeof shop;
  readonly text?: string;
}

function siteOf() {
  const clock = handClock();
  const { tables } = createMemoryStore(clock);
  return { clock, tables, consents: createConsentRegister(tables, clock) };
}

async function advertise({ nextHop: script, mode, meanwhile, session = shop, text = AD }: Setup) {
  const site = siteOf();
  const { clock, tables, consents } = site;
  for (const recipient of [ANN, BEN]) {
    await consents.grant({ advertiser: "shop", recipient, topics: [], proof: { how: "paper" }, grantedAtMs: 1 });
  }
  const real = createFlights(tables, clock, { answerMs: () => 1_000 });
  const began: string[] = [];
  const flights = {
    async begin(advertiser: string, recipients: readonly string[], id: string) {
      const flight = await real.begin(advertiser, recipients, id);
      began.push(...recipients);
      await meanwhile?.(site);
      return flight;
    },
  };
  const { pipeline } = pipelineOf([settingOf(recordedConsent, mode && { mode })], {
    context: { ...contextOf(), consents },
  });
  const journal = createMemoryJournal();
  const ids = createIds(clock, Buffer.alloc(32, 1));
  const nextHop = scriptedNextHop([], script);
  const log = createLog("silent");
  const intake = createIntake({
    ...{ pipeline, nextHop, flights, ids, clock, log, receivedMax: 50, hostname: "relay.example.net" },
    recorder: createRecorder(journal, ids, clock),
    quotas: { giveBack: async () => undefined },
    isLocal: () => true,
  });
  const mail = await intake.open(session).mail(senderOf("news@shop.example"));
  if (isReply(mail)) throw new Error("refused at MAIL");
  for (const to of [ANN, BEN]) await mail.rcpt(recipientOf(to));
  const reply: Reply = await mail.data(contentOf(text));
  const events: string[] = [];
  for await (const { event, recipient } of journal.find({})) events.push(`${event} ${recipient}`);
  let left = 0;
  for await (const _ of tables.scan("flights")) left += 1;
  return { reply, events, received: nextHop.received, began, left };
}

const annRefuses = ({ consents }: ReturnType<typeof siteOf>) => consents.withdraw("shop", ANN);

describe("an advertisement whose recipient refuses right before it is handed over", () => {
  it("is refused, and the answer says for whom; the next hop keeps nothing", async () => {
    const { reply, received, events, left } = await advertise({ meanwhile: annRefuses });
    expect([reply.code, reply.lines.join(" ")]).toEqual([550, expect.stringContaining(ANN)]);
    expect(received).toEqual([]);
    expect(events).toContain(`refused ${ANN}`);
    expect(left, "no refusal has to wait for it").toBe(0);
  });

  it("goes to the others where the next hop can leave him out", async () => {
    const { reply, received } = await advertise({ meanwhile: annRefuses, nextHop: { canDrop: true } });
    expect([reply.code, received[0]?.recipients]).toEqual([250, [BEN]]);
  });

  it("goes on where the operator only watches", async () => {
    const { reply, began } = await advertise({ meanwhile: annRefuses, mode: "watch" });
    expect([reply.code, began]).toEqual([250, []]);
  });

  it("is put off when it took too long until the final dot", async () => {
    const { reply, received, left } = await advertise({ meanwhile: ({ clock }) => clock.pass(HANDOVER_MS_MAX + 1) });
    expect([reply.code, received, left]).toEqual([451, [], 0]);
  });

  it("is put off when the store is away", async () => {
    const { reply, received } = await advertise({ meanwhile: () => Promise.reject(new Unavailable("store", "away")) });
    expect([reply.code, received]).toEqual([451, []]);
  });
});

it("a mail that is no advertisement announces nothing", async () => {
  const { reply, began } = await advertise({ session: sessionOf(), text: "From: a@b.example\r\n\r\nhi\r\n" });
  expect([reply.code, began]).toEqual([250, []]);
});
