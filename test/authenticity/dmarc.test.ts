import { describe, expect, it } from "vitest";
import type { DmarcEdition } from "../../src/authenticity/dmarc/discover.ts";
import { evaluateDmarc } from "../../src/authenticity/dmarc/evaluate.ts";
import type { SpfResult } from "../../src/authenticity/spf/check.ts";
import { namesOf } from "../helpers/names.ts";

interface Case {
  readonly dns: readonly string[];
  readonly author: string | readonly string[];
  /** "result domain" */
  readonly spf?: string;
  readonly dkim?: readonly string[];
  readonly edition?: DmarcEdition;
  readonly sample?: number;
}

async function evaluate(
  { dns, author, spf, dkim = [], edition = "rfc9989", sample = 50 }: Case,
  asked: string[] = [],
): Promise<string> {
  const [result = "none", domain = ""] = spf?.split(" ") ?? [];
  const outcome = await evaluateDmarc(namesOf(dns, asked), {
    authors: [author].flat(),
    ...(spf !== undefined && { spf: { result: result as SpfResult, domain } }),
    dkim: dkim.map((text) => {
      const [said = "", of = ""] = text.split(" ");
      return { result: said as "pass", domain: of };
    }),
    edition,
    sample,
  });
  return outcome.result === "fail" ? `fail ${outcome.policy}` : outcome.result;
}

const dmarc = (domain: string, rest: string): string => `_dmarc.${domain} TXT v=DMARC1; ${rest}`;
const REJECT = [dmarc("example.com", "p=reject")];

describe("DMARC by RFC 9989", () => {
  it.each<[string, Case, string]>([
    ["no record anywhere", { dns: [], author: "example.com" }, "none"],
    ["nothing proved", { dns: REJECT, author: "example.com" }, "fail reject"],
    ["SPF of the domain", { dns: REJECT, author: "example.com", spf: "pass example.com" }, "pass"],
    ["SPF of a subdomain", { dns: REJECT, author: "example.com", spf: "pass mail.example.com" }, "pass"],
    ["DKIM of the parent", { dns: REJECT, author: "mail.example.com", dkim: ["pass example.com"] }, "pass"],
    ["DKIM of a stranger", { dns: REJECT, author: "example.com", dkim: ["pass example.net"] }, "fail reject"],
    [
      "a name that only ends alike",
      { dns: REJECT, author: "example.com", dkim: ["pass badexample.com"] },
      "fail reject",
    ],
    [
      "strict, the same",
      { dns: [dmarc("example.com", "p=reject; adkim=S")], author: "example.com", dkim: ["pass example.com"] },
      "pass",
    ],
    [
      "strict, a subdomain",
      { dns: [dmarc("example.com", "p=reject; adkim=s")], author: "example.com", dkim: ["pass a.example.com"] },
      "fail reject",
    ],
    [
      "strict SPF, a subdomain",
      { dns: [dmarc("example.com", "p=reject; aspf=s")], author: "example.com", spf: "pass a.example.com" },
      "fail reject",
    ],
    [
      "sp of the organisation",
      { dns: [dmarc("example.com", "p=reject; sp=none"), "sub.example.com A 192.0.2.1"], author: "sub.example.com" },
      "fail none",
    ],
    [
      "np of a name that is not there",
      { dns: [dmarc("example.com", "p=reject; sp=none; np=quarantine")], author: "no.example.com" },
      "fail quarantine",
    ],
    [
      "sp of one that is there",
      {
        dns: [dmarc("example.com", "p=reject; sp=none; np=quarantine"), "a.example.com MX 1 m.example.com"],
        author: "a.example.com",
      },
      "fail none",
    ],
    [
      "a subdomain's own record",
      { dns: [...REJECT, dmarc("a.example.com", "p=none")], author: "a.example.com" },
      "fail none",
    ],
    [
      "psd=n in the middle",
      { dns: [dmarc("b.example.com", "p=reject; psd=n"), dmarc("example.com", "p=none")], author: "a.b.example.com" },
      "fail reject",
    ],
    [
      "psd=n parts organisations",
      {
        dns: [dmarc("b.example.com", "p=reject; psd=n"), dmarc("example.com", "p=none")],
        author: "b.example.com",
        dkim: ["pass example.com"],
      },
      "fail reject",
    ],
    [
      "psd=y: one label below",
      {
        dns: [dmarc("bank.example", "p=reject; psd=y"), dmarc("giant.bank.example", "p=reject")],
        author: "giant.bank.example",
        dkim: ["pass mail.mega.bank.example"],
      },
      "fail reject",
    ],
    [
      "psd=y: the same organisation",
      {
        dns: [dmarc("bank.example", "p=reject; psd=y"), dmarc("giant.bank.example", "p=reject")],
        author: "giant.bank.example",
        spf: "pass mail.giant.bank.example",
      },
      "pass",
    ],
    [
      "psd=y: its policy for who has none",
      { dns: [dmarc("bank.example", "p=none; sp=quarantine; psd=y")], author: "mega.bank.example" },
      "fail quarantine",
    ],
    ["t=y", { dns: [dmarc("example.com", "p=reject; t=y")], author: "example.com" }, "fail quarantine"],
    ["t=y of quarantine", { dns: [dmarc("example.com", "p=quarantine; t=y")], author: "example.com" }, "fail none"],
    ["pct means nothing", { dns: [dmarc("example.com", "p=reject; pct=0")], author: "example.com" }, "fail reject"],
    ["two records", { dns: [...REJECT, ...REJECT], author: "example.com" }, "none"],
    [
      "two records, and one above",
      { dns: [dmarc("a.example.com", "p=none"), dmarc("a.example.com", "p=none"), ...REJECT], author: "a.example.com" },
      "fail reject",
    ],
    [
      "no p, somebody to tell",
      { dns: [dmarc("example.com", "rua=mailto:a@example.com")], author: "example.com" },
      "fail none",
    ],
    ["no p, nobody to tell", { dns: [dmarc("example.com", "adkim=s")], author: "example.com" }, "none"],
    [
      "a wrong sp, nobody to tell",
      { dns: [dmarc("example.com", "p=reject; sp=never")], author: "example.com" },
      "none",
    ],
    ["another version", { dns: ["_dmarc.example.com TXT v=DMARC2; p=reject"], author: "example.com" }, "none"],
    [
      "the version in small letters",
      { dns: ["_dmarc.example.com TXT v=dmarc1; p=reject"], author: "example.com" },
      "none",
    ],
    [
      "blanks and capitals",
      { dns: ["_dmarc.example.com TXT v = DMARC1 ;  p = REJECT ; unknown=1"], author: "example.com" },
      "fail reject",
    ],
    ["silence", { dns: ["_dmarc.example.com silence"], author: "example.com" }, "temperror"],
    [
      "silence about SPF of the domain",
      { dns: REJECT, author: "example.com", spf: "temperror example.com" },
      "temperror",
    ],
    [
      "silence about somebody else",
      { dns: REJECT, author: "example.com", spf: "temperror example.net" },
      "fail reject",
    ],
    [
      "two authors, one unproved",
      { dns: REJECT, author: ["example.com", "friend.example"], spf: "pass friend.example" },
      "fail reject",
    ],
    [
      "many authors, to hide one among them",
      { dns: REJECT, author: ["a", "b", "c", "d", "e", "f"].map((one) => `${one}.example`) },
      "fail reject",
    ],
    ["no author", { dns: REJECT, author: [] }, "permerror"],
    ["an address literal for an author", { dns: REJECT, author: "[192.0.2.1]" }, "permerror"],
  ])("%s", async (_, question, expected) => {
    expect(await evaluate(question)).toBe(expected);
  });

  it("asks eight times at most, whatever the name", async () => {
    const asked: string[] = [];
    await evaluate({ dns: [], author: "a.b.c.d.e.f.g.h.i.j.k.example.com" }, asked);
    expect(new Set(asked).size).toBe(8);
    expect(asked.at(-1)).toBe("TXT _dmarc.com");
    expect(asked).toContain("TXT _dmarc.g.h.i.j.k.example.com");
  });
});

describe("DMARC by RFC 7489", () => {
  const edition = "rfc7489" as const;
  it.each<[string, Case, string]>([
    [
      "the Public Suffix List parts organisations",
      { dns: [dmarc("one.co.uk", "p=reject")], author: "one.co.uk", dkim: ["pass two.co.uk"] },
      "fail reject",
    ],
    [
      "and joins them",
      { dns: [dmarc("one.co.uk", "p=reject")], author: "a.one.co.uk", dkim: ["pass b.one.co.uk"] },
      "pass",
    ],
    [
      "a record in between is not looked for",
      { dns: [dmarc("b.example.com", "p=reject")], author: "a.b.example.com" },
      "none",
    ],
    [
      "pct leaves some out",
      { dns: [dmarc("example.com", "p=reject; pct=50")], author: "example.com", sample: 50 },
      "fail quarantine",
    ],
    [
      "and takes others in",
      { dns: [dmarc("example.com", "p=reject; pct=50")], author: "example.com", sample: 49 },
      "fail reject",
    ],
    [
      "two records end the search",
      { dns: [dmarc("a.example.com", "p=none"), dmarc("a.example.com", "p=none"), ...REJECT], author: "a.example.com" },
      "none",
    ],
  ])("%s", async (_, question, expected) => {
    expect(await evaluate({ ...question, edition })).toBe(expected);
  });
});
