import { describe, expect, it } from "vitest";
import { headerLine, lineOf } from "../../src/commands/consent-csv.ts";
import { type ImportParts, importConsents } from "../../src/commands/consent-import.ts";
import { createConsentRegister } from "../../src/registers/consents.ts";
import { createMemoryTables } from "../../src/stores/memory/tables.ts";

const NOW = Date.parse("2026-11-22T12:00:00Z");
const HEADER = "recipient,advertiser,granted_at,how,reference,text_version,ip,topics";

function workshop(more: Partial<ImportParts> = {}) {
  const consents = createConsentRegister(createMemoryTables(), { now: () => NOW });
  const refused: string[] = [];
  const parts: ImportParts = {
    consents,
    advertisers: new Set(["shop"]),
    nowMs: NOW,
    dryRun: false,
    onRefused: (line, reason) => refused.push(`${line}: ${reason}`),
    onProgress: () => undefined,
    stopped: () => false,
    ...more,
  };
  return { consents, refused, run: (text: string) => importConsents(pieces(text), parts) };
}

async function* pieces(text: string): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += 50) yield bytes.subarray(at, at + 50);
}

const GOOD = "ann@example.com,shop,2026-01-02,web-form,form 7,v3,2001:DB8::1,Shoes;hats";

/** What stands in a line, and what is said of it. */
const BAD_LINES: readonly [string, string][] = [
  ["ann@example.com,shop,2026-01-02", "3 fields where the header has 8"],
  [`${GOOD},more`, "9 fields where the header has 8"],
  [",shop,2026-01-02,paper,,,,", 'recipient: "" is no address; expected local-part@domain'],
  ["ann,shop,2026-01-02,paper,,,,", 'recipient: "ann" is no address; expected local-part@domain'],
  ["ann@,shop,2026-01-02,paper,,,,", 'recipient: "ann@" is no address; expected local-part@domain'],
  [
    "a b@example.com,shop,2026-01-02,paper,,,,",
    'recipient: "a b@example.com" is no address; expected local-part@domain',
  ],
  [
    `${"a".repeat(300)}@example.com,shop,2026-01-02,paper,,,,`,
    `recipient: "${"a".repeat(60)}…" is no address; expected local-part@domain`,
  ],
  [
    "ann@example.com,,2026-01-02,paper,,,,",
    'advertiser: "" is no client; expected the id of one, or the domain that writes as From',
  ],
  [
    "ann@example.com,shp,2026-01-02,paper,,,,",
    'advertiser: "shp" is no client; expected the id of one, or the domain that writes as From',
  ],
  [
    "ann@example.com,shop..example,2026-01-02,paper,,,,",
    'advertiser: "shop..example" is no client; expected the id of one, or the domain that writes as From',
  ],
  [
    "ann@example.com,shop,yesterday,paper,,,,",
    'granted_at: "yesterday" is no time; expected 2026-11-22 or 2026-11-22T10:30:00Z',
  ],
  [
    "ann@example.com,shop,02/01/2026,paper,,,,",
    'granted_at: "02/01/2026" is no time; expected 2026-11-22 or 2026-11-22T10:30:00Z',
  ],
  [
    "ann@example.com,shop,2026-02-30,paper,,,,",
    'granted_at: "2026-02-30" is no time; expected 2026-11-22 or 2026-11-22T10:30:00Z',
  ],
  ["ann@example.com,shop,2026-11-23,paper,,,,", 'granted_at: "2026-11-23" is yet to come'],
  [
    "ann@example.com,shop,2026-01-02,,,,,",
    'how: "" does not do; expected a word such as paper, web-form, double-opt-in, call, import',
  ],
  [
    "ann@example.com,shop,2026-01-02,refusal,,,,",
    'how: "refusal" does not do; expected a word such as paper, web-form, double-opt-in, call, import',
  ],
  [
    `ann@example.com,shop,2026-01-02,paper,${"x".repeat(501)},,,`,
    `reference: "${"x".repeat(60)}…" does not do; expected one line of at most 500 characters`,
  ],
  [
    'ann@example.com,shop,2026-01-02,paper,,"v\u00073",,',
    'text_version: "v\\u00073" does not do; expected one line of at most 500 characters',
  ],
  ["ann@example.com,shop,2026-01-02,paper,,,192.0.2.300,", 'ip: "192.0.2.300" is no IP address'],
  [
    `ann@example.com,shop,2026-01-02,paper,,,,${"t".repeat(61)}`,
    `topics: "${"t".repeat(60)}…" does not do; expected words of at most 60 characters`,
  ],
  ['ann@example.com,"shop"x,2026-01-02,paper,,,,', "text follows a closing quote"],
  ['ann@example.com,sh"op,2026-01-02,paper,,,,', "a quote inside a field without quotes"],
];

describe("importing consents", () => {
  it("refuses bad lines one by one, with line and reason, and records the others", async () => {
    const { consents, refused, run } = workshop();
    const lines = BAD_LINES.flatMap(([line], index) => [`ben${index}@example.com,shop,2026-01-02,paper,,,,`, line]);
    const summary = await run([HEADER, ...lines].join("\n"));
    expect(refused).toEqual(BAD_LINES.map(([, reason], index) => `${2 * index + 3}: ${reason}`));
    expect(summary).toMatchObject({ lines: lines.length, recorded: BAD_LINES.length, linesRefused: BAD_LINES.length });
    expect((await consents.find("shop", ["ben0@example.com", "ann@example.com"])).map(Boolean)).toEqual([true, false]);
  });

  it("keeps everything a line says", async () => {
    const { consents, run } = workshop();
    await run(
      `${HEADER}\r\n${GOOD}\r\n"Ben@Example.COM",Brand.Example,2026-01-02T03:04:05+07:00,call,"a ""b"", c",,,\r\n`,
    );
    expect(await consents.find("shop", ["ann@example.com"])).toEqual([
      {
        recipient: "ann@example.com",
        advertiser: "shop",
        topics: ["shoes", "hats"],
        grantedAtMs: Date.parse("2026-01-02T00:00:00Z"),
        proof: { how: "web-form", reference: "form 7", textVersion: "v3", ip: "2001:db8::1" },
      },
    ]);
    expect(await consents.find("brand.example", ["ben@example.com"])).toEqual([
      {
        recipient: "ben@example.com",
        advertiser: "brand.example",
        topics: [],
        grantedAtMs: Date.parse("2026-01-01T20:04:05Z"),
        proof: { how: "call", reference: 'a "b", c' },
      },
    ]);
  });

  it.each([
    ["recipient,advertiser,how", ["the column granted_at is missing"]],
    ["recipient,advertiser,granted_at,how,colour", ['there is no column "colour"']],
    ["recipient,advertiser,granted_at,how,how", ['the column "how" stands twice']],
    ["ann@example.com,shop,2026-01-02,paper", ["the column recipient is missing"]],
  ])("does not begin without a header it understands: %s", async (header, problems) => {
    const { run } = workshop();
    const trial = run(`${header}\n${GOOD}\n`);
    for (const problem of problems) await expect(trial).rejects.toThrow(problem);
  });

  it("says that an empty file is empty", async () => {
    await expect(workshop().run("")).rejects.toThrow("the file is empty: the first line names the columns");
  });

  it("takes the columns in any order", async () => {
    const { consents, run } = workshop();
    await run("how, Granted_At ,advertiser,recipient\npaper,2026-01-02,shop,ann@example.com\n");
    expect((await consents.find("shop", ["ann@example.com"]))[0]?.proof).toEqual({ how: "paper" });
  });

  it("changes nothing when it is run again, and does not undo a refusal", async () => {
    const { consents, run } = workshop();
    const file = `${HEADER}\n${GOOD}\nben@example.com,shop,2026-01-02,paper,,,,\n`;
    expect(await run(file)).toMatchObject({ recorded: 2, known: 0, refusalsKept: 0 });
    await consents.withdraw("shop", "ben@example.com");
    expect(await run(file)).toMatchObject({ recorded: 0, known: 1, refusalsKept: 1 });
    expect((await consents.find("shop", ["ben@example.com"]))[0]?.withdrawnAtMs).toBe(NOW);
  });

  it("says beforehand what it would do, and does nothing of it", async () => {
    const real = workshop();
    await real.run(`${HEADER}\n${GOOD}\n`);
    await real.consents.withdraw("shop", "ann@example.com");
    const dry = workshop({ dryRun: true, consents: real.consents });
    const file = `${HEADER}\n${GOOD}\nben@example.com,shop,2026-01-02,paper,,,,\ncleo@example.com,brand.example,2026-01-02,paper,,,,\nx\n`;
    expect(await dry.run(file)).toMatchObject({ lines: 4, recorded: 2, known: 0, refusalsKept: 1, linesRefused: 1 });
    expect(await real.consents.find("shop", ["ben@example.com"])).toEqual([undefined]);
  });

  it("reads no further ahead than a batch, however long the file", async () => {
    let produced = 0;
    let ahead = 0;
    async function* lines(): AsyncGenerator<Buffer> {
      yield Buffer.from("recipient,advertiser,granted_at,how\n");
      for (; produced < 20_000; produced += 100) {
        const piece = Array.from({ length: 100 }, (_, i) => `r${produced + i}@example.com,shop,2026-01-02,paper\n`);
        yield Buffer.from(piece.join(""));
      }
    }
    let written = 0;
    const { consents } = workshop();
    const slow: ImportParts["consents"] = {
      find: consents.find,
      async grantMany(batch) {
        ahead = Math.max(ahead, produced - written);
        written += batch.length;
        return { recorded: batch.length, known: 0, refused: 0 };
      },
    };
    const { onRefused, onProgress, stopped } = { onRefused: () => {}, onProgress: () => {}, stopped: () => false };
    const parts = {
      consents: slow,
      advertisers: new Set(["shop"]),
      nowMs: NOW,
      dryRun: false,
      onRefused,
      onProgress,
      stopped,
    };
    expect(await importConsents(lines(), parts)).toMatchObject({ lines: 20_000, recorded: 20_000 });
    expect(ahead).toBeLessThanOrEqual(1_200);
  });

  it("stops between two batches when it is told to, and says how far it came", async () => {
    const { run } = workshop({ stopped: () => true });
    const many = Array.from({ length: 2_500 }, (_, i) => `r${i}@example.com,shop,2026-01-02,paper,,,,`);
    const summary = await run([HEADER, ...many].join("\n"));
    expect(summary).toMatchObject({ lines: 1_000, recorded: 1_000 });
    expect(summary).not.toHaveProperty("sha256");
  });

  it("reads back what an export wrote, to the last letter", async () => {
    const first = workshop();
    await first.run(`${HEADER}\n${GOOD}\nben@example.com,shop,2026-01-02T03:04:05.678Z,call,"a ""b"", c",,,\n`);
    let exported = headerLine();
    for await (const consent of first.consents.all()) exported += lineOf(consent);
    const second = workshop();
    expect(await second.run(exported)).toMatchObject({ recorded: 2, linesRefused: 0 });
    const recipients = ["ann@example.com", "ben@example.com"];
    expect(await second.consents.find("shop", recipients)).toEqual(await first.consents.find("shop", recipients));
  });
});
