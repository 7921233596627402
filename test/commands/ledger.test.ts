import { describe, expect, it } from "vitest";
import { inWords } from "../../src/commands/entry-line.ts";
import { readSearch } from "../../src/commands/ledger-search.ts";
import type { Entry } from "../../src/ledger/entry.ts";

const NOW = Date.parse("2026-11-22T12:00:00Z");
const at = (iso: string): number => Date.parse(iso);

describe("what is looked for in the ledger", () => {
  it.each<[object, object]>([
    [{}, {}],
    [{ since: "2h" }, { sinceMs: NOW - 7_200_000 }],
    [
      { since: "2026-11-01", until: "2026-11-02" },
      { sinceMs: at("2026-11-01T00:00Z"), untilMs: at("2026-11-03T00:00Z") },
    ],
    [{ until: "2026-11-02T08:00+07:00" }, { untilMs: at("2026-11-02T01:00Z") }],
    [{ from: "<>" }, { sender: "" }],
    [{ from: "" }, { sender: "" }],
    [{ from: "Ann@Bücher.example" }, { sender: "Ann@xn--bcher-kva.example" }],
    [
      { to: "li@example.com", ip: "192.0.2.0/24" },
      { recipient: "li@example.com", ip: "192.0.2.0/24" },
    ],
    [{ id: "01m812gdn5yhtc30000z" }, { id: "01m812gdn5yhtc30000z" }],
    [{ id: "01m812gdn5yhtc30000ze78" }, { id: "01M812GDN5YHTC30000ZE78" }],
    [{ id: "4XyZ12b" }, { id: "4XyZ12b" }],
    [{ messageId: "1@shop.example" }, { messageId: "<1@shop.example>" }],
    [
      { address: "Li@Example.com", domain: "*.example.com", event: "refused", verdict: "reject" },
      { address: "Li@example.com", domain: "*.example.com", event: "refused", verdict: "reject" },
    ],
    [
      { rule: "~envelope/helo", article: "art. 13", client: "shop", messageId: "<2@shop.example>" },
      { rule: "~envelope/helo", article: "art. 13", client: "shop", messageId: "<2@shop.example>" },
    ],
  ])("reads %j", (wanted, search) => {
    expect(readSearch(wanted, NOW)).toEqual(search);
  });

  it.each<[object, string]>([
    [{ from: "ann" }, '--from "ann": expected local-part@domain'],
    [{ to: "" }, '--to "": expected local-part@domain'],
    [{ ip: "192.0.2.0/33" }, '--ip "192.0.2.0/33": expected an address or a CIDR range'],
    [{ since: "soon" }, '--since "soon": expected a time'],
    [{ since: "1h", until: "2h" }, "--since is not before --until"],
  ])("refuses %j", (wanted, says) => {
    expect(() => readSearch(wanted, NOW)).toThrow(says);
  });
});

describe("an entry in words", () => {
  const entry: Entry = {
    id: "01A",
    at: NOW,
    event: "refused",
    mailId: "01B",
    sender: "",
    recipient: "li@example.com",
    clientIp: "192.0.2.7",
    verdict: "reject",
    rules: ["relay/anonymous", "~envelope/helo"],
    articles: ["Order 38 (CN 2006) art. 7"],
    reply: "550 5.7.1 relaying denied",
    evidence: { domain: "example.com", count: 2 },
  };

  it("is one line: when, what, from whom to whom, why", () => {
    expect(inWords(entry)).toBe(
      "2026-11-22T12:00:00.000Z  refused            <> → li@example.com  192.0.2.7  reject  relay/anonymous ~envelope/helo  " +
        "Order 38 (CN 2006) art. 7  550 5.7.1 relaying denied  domain example.com, count 2  01B",
    );
  });

  it("cannot steer the terminal it is shown on", () => {
    const evil = inWords({ ...entry, reply: "250 \x1b[2Jok\r\n\u009b31m\u202e" });
    expect(evil).toContain("250 \\u001b[2Jok\\u000d\\u000a\\u009b31m\\u202e");
  });
});
