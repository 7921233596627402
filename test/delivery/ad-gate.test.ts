import { describe, expect, it } from "vitest";
import { createAdGate, isHardBounce } from "../../src/delivery/ad-gate.ts";
import { createCustomerGate } from "../../src/delivery/customer-gate.ts";
import type { Attempt, Permission, QueuedMail } from "../../src/delivery/queue/queued.ts";
import type { Pack } from "../../src/law/pack.ts";
import type { Client } from "../../src/mail/client.ts";
import { createClientRegister } from "../../src/registers/clients.ts";
import { createConsentQuotas } from "../../src/registers/consent-quotas.ts";
import { type Consent, createConsentRegister } from "../../src/registers/consents.ts";
import { createMemoryStore } from "../../src/stores/memory/store.ts";
import { clientOf, packOf, recipientOf, senderOf, sessionOf } from "../helpers/described.ts";
import { handClock } from "../helpers/hand-clock.ts";

/** Sunday 2026-11-22 08:00 UTC, 15:00 in Vietnam. */
const START_MS = Date.UTC(2026, 10, 22, 8);
const HOUR_MS = 3_600_000;
const ANN = recipientOf("ann@mail.example");
const BEN = recipientOf("ben@mail.example");

interface Site {
  readonly packs?: readonly Pack[];
  readonly mode?: "watch" | "enforce";
  readonly waits?: boolean;
  readonly rules?: "off" | "watch" | "enforce";
  readonly client?: Partial<Client>;
}

async function siteWith({
  packs = [packOf("vn-2020")],
  mode = "enforce",
  waits = true,
  rules = "enforce",
  client = {},
}: Site = {}) {
  const clock = handClock(START_MS);
  const store = createMemoryStore(clock);
  const consents = createConsentRegister(store.tables, clock);
  const clients = createClientRegister(store.tables, clock);
  await clients.save(clientOf({ kind: "advertiser", ...client }));
  const troubles: unknown[] = [];
  const choice = { for: () => packs, under: () => packs, mode: () => mode, active: packs };
  const law = () => ({ choice, gate: { modeOf: () => rules, waits } });
  const ads = createAdGate({
    consents,
    clock,
    quotas: createConsentQuotas(store.admissions),
    windows: store.windows,
    law,
    onTrouble: (error) => void troubles.push(error),
  });
  const gate = createCustomerGate({ clients, clock, law, ads });
  const grant = (recipient = ANN, more: Partial<Consent> = {}) =>
    consents.grant({
      advertiser: "shop",
      recipient: recipient.address.key,
      topics: [],
      proof: { how: "test" },
      ...more,
    });
  return { clock, store, clients, consents, gate, grant, troubles };
}

let mails = 0;
function mailOf(more: Partial<QueuedMail> = {}): QueuedMail {
  mails += 1;
  const { client: _, ...session } = sessionOf();
  return {
    id: `mail-${mails}`,
    arrivedAt: START_MS,
    expiresAt: START_MS + 120 * HOUR_MS,
    session: { ...session, clientId: "shop" },
    sender: senderOf("a@shop.example"),
    bytes: 100,
    advertiser: "shop",
    recipients: [],
    ...more,
  };
}

const said = (permission: Permission | undefined): string =>
  permission?.kind === "go"
    ? "go"
    : permission?.kind === "wait"
      ? `wait ${(permission.untilMs - START_MS) / HOUR_MS} h: ${permission.reply.lines[0]}`
      : `never: ${permission?.reply.lines[0]}`;

const attempt = (kind: Attempt["kind"], code = 250, enhanced = "2.0.0"): Attempt => ({
  kind,
  reply: { code, enhanced, lines: ["said"] },
  scope: "recipient",
  at: START_MS,
});

describe("advertising that waits in the queue", () => {
  it("goes while the yes stands, and never again after a refusal, with the article that says so", async () => {
    const { gate, grant, consents } = await siteWith();
    await grant();
    expect(await gate.mayGo(mailOf(), [ANN])).toEqual([{ kind: "go" }]);
    await consents.withdraw("shop", ANN.address.key);
    expect(await gate.mayGo(mailOf(), [ANN])).toEqual([
      {
        kind: "never",
        rule: "consent/recorded-consent",
        source: "Decree 91/2020/ND-CP art. 13(4)",
        reply: expect.objectContaining({
          code: 550,
          lines: expect.arrayContaining([expect.stringMatching(/refused/)]),
        }),
      },
    ]);
  });

  it("answers for each recipient", async () => {
    const { gate, grant } = await siteWith();
    await grant();
    const answers = await gate.mayGo(mailOf(), [BEN, ANN]);
    expect(answers.map(said)).toEqual(["never: this recipient has not agreed to advertising from you", "go"]);
  });

  it("waits when the law's number is used up, until one is free again", async () => {
    const { gate, grant, clock } = await siteWith();
    await grant();
    for (let i = 0; i < 3; i += 1) {
      const mail = mailOf();
      expect((await gate.mayGo(mail, [ANN])).map(said)).toEqual(["go"]);
      await gate.ended(mail, [ANN], [attempt("delivered")]);
    }
    expect((await gate.mayGo(mailOf(), [ANN])).map(said)).toEqual([
      expect.stringMatching(/^wait 24 h: .*as the law allows/),
    ]);
    await clock.pass(25 * HOUR_MS);
    expect((await gate.mayGo(mailOf(), [ANN])).map(said)).toEqual(["go"]);
  });

  it("counts what was delivered: what was not goes back", async () => {
    const { gate, grant } = await siteWith();
    await grant();
    for (const kind of ["later", "failed", "later", "failed", "delivered"] as const) {
      const mail = mailOf();
      expect((await gate.mayGo(mail, [ANN])).map(said)).toEqual(["go"]);
      await gate.ended(mail, [ANN], [attempt(kind, 451, "4.0.0")]);
    }
    for (let i = 0; i < 2; i += 1) await gate.mayGo(mailOf(), [ANN]);
    expect((await gate.mayGo(mailOf(), [ANN])).map(said)).toEqual([expect.stringMatching(/^wait/)]);
  });

  it("keeps to the number and the hours that were agreed to", async () => {
    const { gate, grant } = await siteWith();
    await grant(ANN, { limit: { max: 1, windowMs: 7 * 24 * HOUR_MS } });
    await grant(BEN, { hours: "08:00-12:00 Asia/Ho_Chi_Minh" });
    await gate.mayGo(mailOf(), [ANN]);
    expect((await gate.mayGo(mailOf(), [ANN, BEN])).map(said)).toEqual([
      "wait 168 h: this recipient has not agreed to so many advertisements",
      "wait 17 h: this recipient has not agreed to advertising at this hour",
    ]);
  });

  it("is not counted here where the door counts it, and its hours are kept all the same", async () => {
    const { gate, grant } = await siteWith({ waits: false });
    await grant();
    await grant(BEN, { hours: "08:00-12:00 Asia/Ho_Chi_Minh" });
    for (let i = 0; i < 9; i += 1) expect((await gate.mayGo(mailOf(), [ANN])).map(said)).toEqual(["go"]);
    expect((await gate.mayGo(mailOf(), [BEN])).map(said)).toEqual([expect.stringMatching(/^wait 17 h/)]);
  });

  it("waits while its client is suspended, or gone", async () => {
    const suspended = { reason: "x", fromMs: 1, untilMs: START_MS + 5 * HOUR_MS, by: "ann" };
    const { clock, gate, grant, clients } = await siteWith({ client: { suspended } });
    await grant();
    expect((await gate.mayGo(mailOf(), [ANN])).map(said)).toEqual([
      expect.stringMatching(/^wait 5 h: you are suspended/),
    ]);
    await clients.suspend("shop", undefined);
    await clock.pass(4_000);
    await clients.disable("shop", true);
    expect((await gate.mayGo(mailOf(), [ANN])).map(said)).toEqual([expect.stringMatching(/^wait 1\.\d+ h/)]);
  });

  it.each([
    ["no advertising", {}, { advertiser: undefined }],
    ["a report of ours", {}, { isReport: true }],
    ["under laws that are only watched", { mode: "watch" }, {}],
    ["where the operator watches the rules", { rules: "watch" }, {}],
  ] as [string, Site, object][])("asks nothing of %s", async (_, site, more) => {
    const { gate } = await siteWith(site);
    const { advertiser, ...mail } = { ...mailOf(), ...more };
    const asked = advertiser === undefined ? mail : { ...mail, advertiser };
    expect((await gate.mayGo(asked, [ANN])).map(said)).toEqual(["go"]);
  });
});

describe("a customer's mail", () => {
  const egress = (registeredOn: string, network = "192.0.2.25") =>
    ({ network, use: "egress", authority: "MIIT", registeredOn }) as const;
  const china = { packs: [packOf("cn-2006")] };

  it("leaves by registered addresses whose days are over, and waits while there is none", async () => {
    const early = await siteWith({ ...china, client: { kind: "isp-customer", addresses: [egress("2026-11-10")] } });
    const { advertiser: _, ...mail } = mailOf();
    expect((await early.gate.mayGo(mail, [ANN])).map(said)).toEqual([
      "wait 1 h: your address is not registered for sending",
    ]);
    const two = [egress("2026-11-10"), egress("2026-01-01", "192.0.2.26")];
    const late = await siteWith({ ...china, client: { kind: "isp-customer", addresses: two } });
    expect((await late.gate.mayGo(mail, [ANN])).map(said)).toEqual(["go"]);
    expect(late.gate.egressOf("shop")).toEqual(["192.0.2.26"]);
    const none = await siteWith({ ...china, client: { kind: "isp-customer" } });
    expect((await none.gate.mayGo(mail, [ANN])).map(said)).toEqual(["go"]);
    expect(none.gate.egressOf("shop")).toBeUndefined();
  });

  it("waits while it is suspended, and goes on when it is gone: custody was taken", async () => {
    const suspended = { reason: "x", fromMs: 1, untilMs: START_MS + 5 * HOUR_MS, by: "ann" };
    const { gate, clients, clock } = await siteWith({ client: { kind: "isp-customer", suspended } });
    const { advertiser: _, ...mail } = mailOf();
    expect((await gate.mayGo(mail, [ANN])).map(said)).toEqual([expect.stringMatching(/^wait 5 h/)]);
    await clients.disable("shop", true);
    await clock.pass(4_000);
    expect((await gate.mayGo(mail, [ANN])).map(said)).toEqual(["go"]);
  });
});

describe("mail that comes back", () => {
  it("for good is counted with the yes, and a new yes forgets it", async () => {
    const { gate, grant, consents } = await siteWith();
    await grant();
    for (let i = 0; i < 2; i += 1) {
      const mail = mailOf();
      await gate.mayGo(mail, [ANN]);
      await gate.ended(mail, [ANN], [attempt("failed", 550, "5.1.1")]);
    }
    const [standing] = await consents.standing("shop", [ANN.address.key]);
    expect(standing?.bounces).toEqual({ count: 2, lastMs: START_MS });
    await grant(ANN, { grantedAtMs: START_MS + 1 });
    expect((await consents.standing("shop", [ANN.address.key]))[0]?.bounces).toBeUndefined();
  });

  it("is counted with nothing where there is no yes, and breaks nothing", async () => {
    const { gate, consents, troubles } = await siteWith();
    await gate.ended(mailOf(), [ANN], [attempt("failed", 550, "5.1.1")]);
    expect([await consents.standing("shop", [ANN.address.key]), troubles]).toEqual([[undefined], []]);
  });

  it.each([
    ["no such mailbox", attempt("failed", 550, "5.1.1"), true],
    ["a null MX", attempt("failed", 556, "5.1.10"), true],
    ["a mailbox that is disabled", attempt("failed", 550, "5.2.1"), true],
    ["without an enhanced code", attempt("failed", 550, ""), true],
    ["a mailbox that is full", attempt("failed", 552, "5.2.2"), false],
    ["a policy", attempt("failed", 550, "5.7.1"), false],
    ["something that passes", attempt("later", 450, "4.2.1"), false],
    ["a server that is away", { ...attempt("failed", 550, "5.1.1"), scope: "destination" as const }, false],
  ])("is for good or not: %s", (_, made, expected) => {
    expect(isHardBounce(made)).toBe(expected);
  });
});
