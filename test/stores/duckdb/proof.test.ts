import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createIds } from "../../../src/kit/ids.ts";
import { isSigned, readSeal } from "../../../src/ledger/seal.ts";
import { writeProof } from "../../../src/stores/duckdb/proof.ts";
import {
  DAY_MS,
  HOUR_MS,
  mailEntries,
  openTestLedger,
  START_MS,
  type TestLedgerOptions,
} from "../../helpers/archive.ts";
import { tempDir } from "../../helpers/temp.ts";

const sha256 = (...parts: readonly Buffer[]): Buffer => createHash("sha256").update(Buffer.concat(parts)).digest();
const hex = (text = ""): Buffer => Buffer.from(text, "hex");

/** Two sealed days of a thousand mails, and the proof of one recipient's. */
async function proved(options: TestLedgerOptions = {}) {
  const ledger = await openTestLedger(options);
  const clock = { nowMs: START_MS, now: () => clock.nowMs };
  const ids = createIds(clock, Buffer.alloc(32, 3));
  const times = Array.from({ length: 2_000 }, (_, index) => START_MS + index * 80_000);
  const entries = mailEntries(times).map((entry, index) => {
    clock.nowMs = entry.at;
    const recipient = index === 700 || index === 701 ? "li@local.example" : `other${index}@local.example`;
    return { ...entry, id: ids.next(), recipient };
  });
  await ledger.journal.append(entries);
  ledger.pass(2 * DAY_MS + 2 * HOUR_MS);
  await ledger.keep();
  const dir = tempDir();
  const parquet = join(dir, "entries.parquet");
  const found = await (await ledger.reader()).write({ recipient: "li@local.example" }, parquet, "parquet");
  const to = join(dir, "proof");
  const prove = () =>
    writeProof({ root: ledger.root, entries: parquet, to, tempDir: tempDir(), memoryMb: 300, threads: 1, ...options });
  return { ledger, entries, found, prove, to: join(to, ledger.node) };
}

describe("the proof of an export", () => {
  it.each<[string, TestLedgerOptions]>([
    ["as it is", {}],
    ["encrypted", { archiveKey: Buffer.alloc(32, 5) }],
  ])(
    "of an archive kept %s leads from each entry to the signed seal of its day and shows nothing of others",
    {
      timeout: 60_000,
    },
    async (_, options) => {
      const { ledger, entries, found, prove, to } = await proved(options);
      expect([found, await prove()]).toEqual([2, { proved: 2, seals: 2 }]);
      const lines = readFileSync(join(to, "2026-11-01-day.rows"), "utf8")
        .trim()
        .split("\n")
        .map((line) => line.split(" "));
      const shown = lines.filter(([word]) => word === "entry");
      expect(shown.map(([, , id]) => id)).toEqual([entries[700]?.id, entries[701]?.id]);
      const groups: Buffer[] = [];
      const open: Buffer[] = [];
      for (const [word, hash, , text] of lines) {
        if (word === "group") groups.push(hex(hash));
        else if (word === "end") groups.push(sha256(...open.splice(0)));
        else {
          if (word === "entry") expect(sha256(Buffer.from(text ?? "", "base64")).toString("hex")).toBe(hash);
          open.push(hex(hash));
        }
      }
      const read = readSeal(readFileSync(join(to, "000001-2026-11-01-day.seal"), "utf8"));
      expect(sha256(...groups).toString("hex")).toBe(read?.seal.rows);
      expect(read && isSigned(read, ledger.key.publicPem)).toBe(true);
      expect(readFileSync(join(to, "key.pem"), "utf8")).toBe(ledger.key.publicPem);
      expect(readdirSync(to)).not.toContain("2026-11-02-day.rows");
      for (const [, , , text] of shown)
        expect(Buffer.from(text ?? "", "base64").toString()).toContain("li@local.example");
      expect(
        lines
          .flat()
          .map((text) => Buffer.from(text, "base64").toString())
          .join(),
      ).not.toContain("other");
    },
  );

  it("is not given for a day that is not as it was sealed", { timeout: 60_000 }, async () => {
    const { ledger, prove } = await proved();
    const seal = join(ledger.root, "date=2026-11-01", `node=${ledger.node}`, "day.seal");
    writeFileSync(seal, readFileSync(seal, "utf8").replace(/"rows":"..../, '"rows":"0000'));
    await expect(prove()).rejects.toThrow("day 2026-11-01 of node relay-1 is not as it was sealed");
  });
});
