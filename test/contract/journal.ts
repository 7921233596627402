import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Misuse } from "../../src/kit/trouble.ts";
import type { Entry } from "../../src/ledger/entry.ts";
import type { Journal, Search } from "../../src/ledger/journal.ts";
import { collect } from "./tables.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const START = 1_700_000_000_000;
let made = 0;

/** An entry that sorts behind all made before. */
function entry(at: number, fields: Partial<Entry> = {}): Entry {
  made += 1;
  return { id: `E${String(made).padStart(8, "0")}`, at, event: "received", ...fields };
}

const FULL: Entry = {
  id: "FULL",
  at: START - DAY,
  event: "handed-over",
  mailId: "FULL-MAIL",
  sessionId: "S1",
  door: "smtp",
  direction: "in",
  sender: "promo@shop.example",
  recipient: "người.nhận@ví-dụ.vn",
  clientIp: "2001:db8::1",
  clientPort: 40_000,
  serverIp: "192.0.2.1",
  nextHopIp: "192.0.2.2",
  helo: "mail.shop.example",
  login: "shop",
  client: "shop-1",
  messageId: "<1@shop.example>",
  sizeBytes: 4096,
  tls: "TLSv1.3",
  verdict: "accept",
  rules: ["~advertising/subject-label"],
  articles: ["Art. 13"],
  packs: ["cn-2006@1"],
  reply: "250 2.0.0 ok | \u0000",
  evidence: { score: 0.5, label: "AD", seen: true },
  actor: "auditor",
};

const CROWD: readonly Entry[] = [
  entry(START, { sender: "a@one.example", recipient: "x@local.example", clientIp: "192.0.2.10", mailId: "M1" }),
  entry(START, { sender: "a@one.example", recipient: "y@local.example", clientIp: "192.0.2.10", mailId: "M1" }),
  entry(START + 1, {
    sender: "b@one.example",
    recipient: "x@local.example",
    clientIp: "192.0.2.200",
    mailId: "M2",
    messageId: "<2@one.example>",
    verdict: "reject",
    rules: ["relay/anonymous", "~envelope/helo"],
    articles: ["Order 38 (CN 2006) Art. 13(1)"],
  }),
  entry(START + 1000, {
    sender: "",
    recipient: "x@local.example",
    clientIp: "2001:db8:1::5",
    mailId: "M3",
    client: "shop",
  }),
  entry(START + 2000, { event: "looked-up", actor: "auditor" }),
  entry(START + DAY, { event: "handed-over", recipient: "x@local.example", mailId: "M1", queueId: "4XyZ" }),
];
const ids = (...numbers: number[]): string[] => numbers.map((number) => CROWD[number]?.id ?? "");
const from = { sinceMs: START, untilMs: START + 2 * DAY };

const SEARCHES: readonly (readonly [string, Search, readonly string[]])[] = [
  ["a time, from inclusive to exclusive", { sinceMs: START, untilMs: START + 1000 }, ids(0, 1, 2)],
  ["an empty time", { sinceMs: START + 1, untilMs: START + 1 }, []],
  ["a sender", { ...from, sender: "a@one.example" }, ids(0, 1)],
  ["a sender in another case", { ...from, sender: "A@One.Example" }, ids(0, 1)],
  ["the null reverse-path", { ...from, sender: "" }, ids(3)],
  ["a recipient", { ...from, recipient: "x@local.example" }, ids(0, 2, 3, 5)],
  ["an address", { ...from, ip: "192.0.2.10" }, ids(0, 1)],
  ["an IPv4 range", { ...from, ip: "192.0.2.0/25" }, ids(0, 1)],
  ["an IPv6 range", { ...from, ip: "2001:db8:1::/48" }, ids(3)],
  ["an entry's id", { id: CROWD[2]?.id ?? "" }, ids(2)],
  ["a mail's id", { id: "M1" }, ids(0, 1, 5)],
  ["an id nobody has", { id: "M" }, []],
  ["a mail's id and a time", { id: "M1", sinceMs: START + 1 }, ids(5)],
  [
    "several fields at once",
    { ...from, sender: "a@one.example", recipient: "y@local.example", ip: "192.0.2.10" },
    ids(1),
  ],
  ["sender or recipient", { ...from, address: "A@one.example" }, ids(0, 1)],
  ["sender or recipient: recipient", { ...from, address: "y@local.example" }, ids(1)],
  ["a domain", { ...from, domain: "ONE.example" }, ids(0, 1, 2)],
  ["a domain without those below it", { ...from, domain: "example" }, []],
  ["a domain and those below it", { ...from, domain: "*.example", verdict: "reject" }, ids(2)],
  ["a Message-ID", { ...from, messageId: "<2@one.example>" }, ids(2)],
  ["an event", { ...from, event: "looked-up" }, ids(4)],
  ["a verdict", { ...from, verdict: "reject" }, ids(2)],
  ["a rule", { ...from, rule: "relay/anonymous" }, ids(2)],
  ["a rule that was only watched", { ...from, rule: "envelope/helo" }, ids(2)],
  ["a rule as watched, which was enforced", { ...from, rule: "~relay/anonymous" }, []],
  ["a part of an article", { ...from, article: "art. 13" }, ids(2)],
  ["a client", { ...from, client: "shop" }, ids(3)],
  ["a queue id", { ...from, id: "4XyZ" }, ids(5)],
  ["fields no entry has together", { ...from, sender: "b@one.example", ip: "192.0.2.10" }, []],
];

/** What every journal promises. `open` is called once, and the journal closed at the end. */
export function journalContract(name: string, open: () => Promise<Journal>): void {
  describe(`${name} keeps the contract of journals`, () => {
    let journal: Journal;
    beforeAll(async () => {
      journal = await open();
      await journal.append([...CROWD].reverse());
    });
    afterAll(() => journal.close());
    const find = async (search: Search): Promise<string[]> => (await collect(journal.find(search))).map(({ id }) => id);

    it.each(SEARCHES)("finds by %s, oldest first", async (_, search, expected) => {
      expect(await find(search)).toEqual(expected);
    });

    it("gives back every field as it was", async () => {
      await journal.append([FULL]);
      expect(await collect(journal.find({ id: "FULL" }))).toEqual([FULL]);
      expect(await collect(journal.find({ id: "FULL-MAIL" }))).toEqual([FULL]);
    });

    it("gives back an entry of three fields with no more", async () => {
      const bare = entry(START - 2 * DAY);
      await journal.append([bare]);
      const [found] = await collect(journal.find({ id: bare.id }));
      expect(Object.keys(found ?? {}).sort()).toEqual(["at", "event", "id"]);
    });

    it("takes an empty append for what it is", async () => {
      await journal.append([]);
    });

    it("streams 5,000 entries of 100 appends at once, each once, oldest first", async () => {
      const base = START + 10 * DAY;
      const appends = Array.from({ length: 100 }, (_, i) =>
        Array.from({ length: 50 }, (__, j) => entry(base + j, { mailId: `B${i}` })),
      );
      await Promise.all(appends.map((entries) => journal.append(entries)));
      const found = await collect(journal.find({ sinceMs: base, untilMs: base + DAY }));
      const expected = appends.flat().sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
      expect(found.map(({ id }) => id)).toEqual(expected.map(({ id }) => id));
      expect(await find({ id: "B7" })).toEqual(appends[7]?.map(({ id }) => id));
    });

    it("keeps one of an entry appended twice", async () => {
      const twice = entry(START + 20 * DAY);
      await journal.append([twice]);
      await journal.append([twice]);
      expect(await find({ sinceMs: twice.at, untilMs: twice.at + 1 })).toEqual([twice.id]);
    });

    it("hands over the hours that are over, oldest first, and forgets exactly what was dropped", async () => {
      const base = Date.parse("2031-05-06T07:00:00Z");
      const [early, late, next] = [entry(base), entry(base + HOUR - 1), entry(base + HOUR)];
      await journal.append([next, late, early]);
      const recent = async (nowMs: number) =>
        (await journal.closedHours(nowMs)).filter(({ hour }) => hour >= "2031-05-06T07");
      expect(await recent(base + HOUR - 1)).toEqual([]);
      const [first, second, ...rest] = await recent(base + 3 * HOUR);
      expect([first?.hour, second?.hour, rest]).toEqual(["2031-05-06T07", "2031-05-06T08", []]);
      expect(first && (await collect(first.read()))).toEqual([early, late]);
      const sources = (await journal.sources()).filter(({ hour }) => hour >= "2031-05-06T07");
      expect(sources.map(({ hour }) => hour)).toEqual(["2031-05-06T07", "2031-05-06T08"]);
      expect([...(first?.taken.keys() ?? [])]).toEqual([sources[0]?.name]);
      await journal.forget(first?.taken ?? new Map());
      expect(await find({ sinceMs: base })).toEqual([next.id]);
      const again = entry(base + 1);
      await journal.append([again]);
      expect((await recent(base + 3 * HOUR)).map(({ hour }) => hour)).toEqual(["2031-05-06T07", "2031-05-06T08"]);
      expect(await find({ sinceMs: base })).toEqual([again.id, next.id]);
    });

    it("shows what is taken to nobody, and keeps what came after", async () => {
      const base = Date.parse("2032-05-06T07:00:00Z");
      const [taken, late] = [entry(base), entry(base + 1)];
      await journal.append([taken]);
      const now = base + 3 * HOUR;
      const [hour] = (await journal.closedHours(now)).filter((each) => each.hour === "2032-05-06T07");
      if (!hour) throw new Error("the hour is not over");
      expect(await collect(journal.find({ sinceMs: base }, hour.taken))).toEqual([]);
      expect((await journal.closedHours(now, hour.taken)).filter((each) => each.hour === hour.hour)).toEqual([]);
      await journal.append([late]);
      expect(await collect(hour.read())).toEqual([taken]);
      expect(await collect(journal.find({ sinceMs: base }, hour.taken))).toEqual([late]);
      await journal.forget(hour.taken);
      const [rest] = (await journal.closedHours(now, hour.taken)).filter((each) => each.hour === hour.hour);
      expect(rest && (await collect(rest.read()))).toEqual([late]);
      await journal.forget(rest?.taken ?? new Map());
      expect(await find({ sinceMs: base })).toEqual([]);
    });

    it("can be left in the middle of a search", async () => {
      for await (const found of journal.find(from)) {
        expect(found.id).toBe(CROWD[0]?.id);
        break;
      }
      expect(await find({ id: "M2" })).toEqual(ids(2));
    });

    it.each(["192.0.2", "192.0.2.0/33", "localhost", ""])('refuses to search for the address "%s"', async (ip) => {
      await expect((async () => collect(journal.find({ ip })))()).rejects.toBeInstanceOf(Misuse);
    });
  });
}
