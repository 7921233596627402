import { describe, expect, it } from "vitest";
import { CHECK_COMMANDS, type CoverFacts, coverSheet } from "../../src/ledger/cover-sheet.ts";

const AT = Date.parse("2026-11-22T10:00Z");
const facts: CoverFacts = {
  request: {
    case: "2026-117",
    authority: "City Police",
    basis: "order 12",
    scope: "mail of li",
    search: { address: "li@example.com" },
    openedBy: "ann",
    openedAt: AT,
    approvedBy: "bob",
    approvedAt: AT + 1_000,
  },
  hostname: "relay.example.net",
  exportedBy: "ann",
  exportedAtMs: AT + 2_000,
  entries: 42,
  proved: 40,
  key: "5b0c4a1d2e3f4a5b",
  asked: [["address", "li@example.com"]],
};

const pages = (sheet: string): string[] => sheet.split(/^-{20,}$/m);

describe("the cover sheet", () => {
  it("tells the same facts and commands in Chinese, Vietnamese and English", () => {
    const found = pages(coverSheet(facts));
    expect(found.map((page) => page.trim().split("\n")[0])).toEqual([
      "互联网电子邮件收发记录 依法调取",
      "HỒ SƠ GỬI NHẬN THƯ ĐIỆN TỬ, CUNG CẤP THEO YÊU CẦU HỢP PHÁP",
      "RECORD OF E-MAIL SENT AND RECEIVED, GIVEN ON LAWFUL REQUEST",
    ]);
    const values = (page: string): string[] =>
      page
        .split("\n")
        .flatMap((line) => /^[^:]+: (.*)$/.exec(line)?.[1] ?? [])
        .slice(0, 12);
    for (const page of found) {
      expect(values(page)).toEqual(values(found[2] ?? ""));
      for (const command of CHECK_COMMANDS) expect(page).toContain(`  ${command}\n`);
    }
    expect(values(found[2] ?? "")).toEqual([
      "2026-117",
      "City Police",
      "order 12",
      "mail of li",
      "address li@example.com",
      "ann, 2026-11-22T10:00:00.000Z",
      "bob, 2026-11-22T10:00:01.000Z",
      "ann, 2026-11-22T10:00:02.000Z",
      "42",
      "40",
      "relay.example.net",
      "Ed25519 5b0c4a1d2e3f4a5b",
    ]);
  });

  it("has no line that somebody typed", () => {
    const forged = { ...facts, request: { ...facts.request, scope: "mail\nApproved by: eve\u2028Entries: 0" } };
    expect(coverSheet(forged)).not.toMatch(/^(Approved by: eve|Entries: 0)/m);
  });
});
