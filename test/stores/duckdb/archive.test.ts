import { describe, expect, it } from "vitest";
import { createIds } from "../../../src/kit/ids.ts";
import type { Entry } from "../../../src/ledger/entry.ts";
import { collect } from "../../contract/tables.ts";
import { DAY_MS, HOUR_MS, mailEntries, openTestLedger, START_MS } from "../../helpers/archive.ts";

const ids = createIds({ now: () => START_MS + 1_000 }, Buffer.alloc(32, 7));

/** Every field, and texts that have to be treated with care. */
const FULL: Entry = {
  id: ids.next(),
  at: START_MS + 1_234,
  event: "handed-over",
  mailId: ids.sealed(),
  queueId: "4XyZ12",
  sessionId: ids.next(),
  door: "smtp",
  direction: "in",
  sender: "Promo.O'Hara@Shop.example",
  recipient: "người.nhận@ví-dụ.vn",
  clientIp: "2001:db8::1",
  clientPort: 40_000,
  serverIp: "192.0.2.1",
  nextHopIp: "192.0.2.2",
  helo: "mail.shop.example",
  login: "shop",
  client: "shop-1",
  messageId: "<1{id}@shop.example>",
  sizeBytes: 3_000_000_000,
  tls: "TLSv1.3",
  verdict: "accept",
  rules: ["~advertising/subject-label", "relay/anonymous"],
  articles: ['Order 38, "art. 13"; (1)'],
  packs: ["cn-2006@1"],
  reply: "250 2.0.0 {ok} {id} {(} | \u0000\u001f\u2028 \"quoted\", 'single' \\ / 广告",
  evidence: { score: 0.5, label: "AD", seen: true, odd: "\u0000" },
  actor: "auditor",
  clock: "set-back",
};

const ODD: readonly Entry[] = [
  FULL,
  {
    ...FULL,
    id: "any id",
    at: START_MS + 1_235,
    sessionId: "12.ABCDE.7",
    reply: `451 id ${FULL.mailId} twice ${FULL.mailId}`,
  },
  { id: "=5", at: START_MS + 1_236, event: "looked-up", rules: [], evidence: {} },
  { id: ids.next(), at: START_MS - DAY_MS, event: "refused", sender: "", reply: "550 without a mail {id}" },
  { id: ids.sealed(), at: START_MS + 1_237, event: "refused", mailId: "{(}", reply: "550 {(} {id}" },
];

describe("the archive", () => {
  it("gives back every entry as it was, from the journal, from hour files and from a sealed day", async () => {
    const ledger = await openTestLedger();
    const expected = [...ODD].sort((a, b) => a.at - b.at);
    await ledger.journal.append(ODD);
    expect(await ledger.find({ untilMs: START_MS + DAY_MS })).toEqual(expected);
    ledger.pass(2 * HOUR_MS);
    expect(await ledger.keep()).toMatchObject({ hours: 2, entries: 5, sealed: ["2026-10-31"] });
    expect(await ledger.journal.sources()).toHaveLength(1);
    expect(await ledger.find({ untilMs: START_MS + HOUR_MS })).toEqual(expected);
    ledger.pass(DAY_MS);
    expect(await ledger.keep()).toMatchObject({ sealed: ["2026-11-01"] });
    expect(await ledger.find({ untilMs: START_MS + HOUR_MS })).toEqual(expected);
  });

  it("reads half a character as none", async () => {
    const ledger = await openTestLedger();
    await ledger.journal.append([{ id: "E1", at: START_MS, event: "refused", reply: "550 \ud800 \ude00\ud800" }]);
    ledger.pass(3 * HOUR_MS);
    await ledger.keep();
    expect((await ledger.find({ id: "E1" }))[0]?.reply).toBe("550 \ufffd \ufffd\ufffd");
  });

  it("keeps an entry once that was appended in two hours", async () => {
    const ledger = await openTestLedger();
    const entry = mailEntries([START_MS])[0] as Entry;
    await ledger.journal.append([entry]);
    ledger.pass(2 * HOUR_MS);
    await ledger.keep();
    await ledger.journal.append([entry, { ...entry, id: "other" }]);
    await ledger.keep();
    ledger.pass(DAY_MS);
    await ledger.keep();
    expect((await ledger.find({ untilMs: START_MS + 1 })).map(({ id }) => id)).toEqual([entry.id, "other"]);
  });

  it("seals what comes after a day was sealed as a volume of its own", async () => {
    const ledger = await openTestLedger();
    const [first, late] = mailEntries([START_MS, START_MS + 1]) as [Entry, Entry];
    await ledger.journal.append([first]);
    ledger.pass(DAY_MS + 2 * HOUR_MS);
    expect((await ledger.keep()).sealed).toEqual(["2026-11-01"]);
    await ledger.journal.append([late]);
    expect((await ledger.keep()).sealed).toEqual(["2026-11-01"]);
    expect(await ledger.find({ untilMs: START_MS + 2 })).toEqual([first, late]);
    const sealed = await ledger.archive.sealed();
    expect(sealed.map(({ seal }) => [seal.volume, seal.seq, seal.entries])).toEqual([
      ["day", 1, 1],
      ["late-1", 2, 1],
    ]);
    expect(sealed[1]?.seal.previous).toBe(sealed[0]?.digest);
  });

  it("shows the days of every node, each once", async () => {
    const one = await openTestLedger();
    const two = await openTestLedger({ root: one.root, node: "relay-2", key: one.key });
    const entries = mailEntries(Array.from({ length: 20 }, (_, index) => START_MS + index * HOUR_MS));
    await one.journal.append(entries.filter((_, index) => index % 2 === 0));
    await two.journal.append(entries.filter((_, index) => index % 2 === 1));
    for (const ledger of [one, two]) {
      ledger.pass(21 * HOUR_MS);
      await ledger.keep();
    }
    const search = { untilMs: START_MS + DAY_MS };
    expect(await one.find(search)).toEqual(entries);
    for (const ledger of [one, two]) {
      ledger.pass(DAY_MS);
      await ledger.keep();
    }
    expect(await one.find(search)).toEqual(entries);
    expect(await two.find(search)).toEqual(entries);
    expect(await collect((await one.reader()).find({ ...search, recipient: "R1@local.example" }))).toEqual(
      entries.filter(({ recipient }) => recipient === "r1@local.example"),
    );
  });
});
