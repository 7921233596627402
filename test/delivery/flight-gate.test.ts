import { describe, expect, it } from "vitest";
import { createFlightGate } from "../../src/delivery/flight-gate.ts";
import type { Attempt, Gate, QueuedMail } from "../../src/delivery/queue/queued.ts";
import { Unavailable } from "../../src/kit/trouble.ts";
import { mailDate } from "../../src/mail/received.ts";
import { createConsentRegister } from "../../src/registers/consents.ts";
import { createFlights } from "../../src/registers/flights.ts";
import { createMemoryStore } from "../../src/stores/memory/store.ts";
import { recipientOf, senderOf, sessionOf } from "../helpers/described.ts";
import { handClock } from "../helpers/hand-clock.ts";
import { startScripted } from "../helpers/scripted-server.ts";
import { startService } from "../helpers/service.ts";
import { openSmtp } from "../helpers/smtp-dialogue.ts";
import { until } from "../helpers/wait.ts";

const [ANN, BEN] = [recipientOf("ann@example.com"), recipientOf("ben@example.com")];
const MAIL: QueuedMail = {
  ...{ id: "M1", arrivedAt: 0, expiresAt: 1, session: sessionOf(), sender: senderOf(), bytes: 1, recipients: [] },
  advertiser: "shop",
};
const DONE: Attempt = {
  ...{ kind: "delivered", scope: "recipient", at: 0 },
  reply: { code: 250, enhanced: "2.0.0", lines: ["ok"] },
};

const ARTICLE = { cite: "Order 38 (CN 2006) art. 14", confidence: "C3" } as const;

function gateOn(inner?: Gate, sourceOf: () => typeof ARTICLE | undefined = () => ARTICLE) {
  const clock = handClock();
  const { tables } = createMemoryStore(clock);
  const consents = createConsentRegister(tables, clock);
  const flights = createFlights(tables, clock, { answerMs: () => 100_000, pause: (ms) => clock.pass(ms) });
  const gate = createFlightGate({ flights, consents, clock, sourceOf, attemptMaxMs: 100_000, ...(inner && { inner }) });
  return { gate, consents, flights };
}

describe("advertising in the queue", () => {
  it("is announced before it is tried, and a refusal waits until that has ended", async () => {
    const { gate, flights } = gateOn();
    expect((await gate.mayGo(MAIL, [ANN, BEN])).map(({ kind }) => kind)).toEqual(["go", "go"]);
    await expect(flights.landed("shop", ANN.address.key)).rejects.toThrow(Unavailable);
    await gate.ended(MAIL, [ANN], [DONE]);
    await expect(flights.landed("shop", BEN.address.key)).rejects.toThrow(Unavailable);
    await gate.ended(MAIL, [BEN], [DONE]);
    await flights.landed("shop", ANN.address.key);
  });

  it("never goes to who has refused, and nobody waits for what does not go", async () => {
    const { gate, consents, flights } = gateOn();
    await consents.withdraw("shop", ANN.address.key);
    const [ann, ben] = await gate.mayGo(MAIL, [ANN, BEN]);
    expect(ann).toMatchObject({ kind: "never", rule: "consent/recorded-consent", reply: { code: 550 } });
    expect(ben).toEqual({ kind: "go" });
    await gate.ended(MAIL, [BEN], [DONE]);
    await gate.mayGo(MAIL, [ANN]);
    await flights.landed("shop", ANN.address.key);
  });

  it("goes on to who has refused where no law that is enforced asks otherwise", async () => {
    const { gate, consents } = gateOn(undefined, () => undefined);
    await consents.withdraw("shop", ANN.address.key);
    expect(await gate.mayGo(MAIL, [ANN])).toEqual([{ kind: "go" }]);
  });

  it("is asked about further on by whoever else has a say", async () => {
    const asked: string[] = [];
    const { gate, consents } = gateOn({
      async mayGo(_, recipients) {
        asked.push(...recipients.map(({ address }) => address.key));
        return recipients.map(() => ({ kind: "wait", untilMs: 7, reply: DONE.reply }) as const);
      },
      ended: async () => undefined,
    });
    await consents.withdraw("shop", ANN.address.key);
    expect((await gate.mayGo(MAIL, [ANN, BEN])).map(({ kind }) => kind)).toEqual(["wait", "wait"]);
    expect(asked).toEqual(["ann@example.com", "ben@example.com"]);
  });

  it("that was queued before the refusal is never delivered after it", async () => {
    const server = await startScripted({ answers: { MAIL: ["451 4.7.1 later", undefined] } });
    const clock = handClock(Date.UTC(2026, 10, 22, 10));
    const service = await startService(
      {
        nextHop: { mode: "queue", to: `smtp://127.0.0.1:${server.port}`, tls: "never" },
        queue: { processes: 0, retrySeconds: [600], destinationRetrySeconds: [60], jitter: 0, reserveMb: 1 },
      },
      clock,
    );
    const { clients, consents } = service.house;
    const shop = { kind: "advertiser", networks: ["127.0.0.1"], domains: ["shop.example"], disabled: false } as const;
    await clients.save({ id: "shop", ...shop });
    await consents.grant({ recipient: ANN.address.key, advertiser: "shop", topics: [], proof: { how: "paper" } });
    const client = await openSmtp(service.smtp);
    await client.say("EHLO pc.shop.example");
    const content = `From: a@shop.example\r\nDate: ${mailDate(clock.now())}\r\nSubject: AD [QC] sale\r\n\r\nbuy`;
    const heard = await client.mail({ from: "a@shop.example", to: ["ann@example.com"], content });
    expect(heard.at(-1)).toMatch(/^250/);
    client.end();
    await service.entriesSoon(1, { event: "delayed" } as never);
    await consents.withdraw("shop", ANN.address.key);
    await clock.pass(700_000);
    const [bounced] = await until("it is given up", async () => {
      const found = (await service.entries()).filter(({ event }) => event === "bounced");
      return found.length > 0 ? found : undefined;
    });
    expect(bounced?.reply).toMatch(/^550 5\.7\.1 this recipient has refused advertising from you/);
    expect(server.mails).toEqual([]);
    await server.stop();
  });
});
