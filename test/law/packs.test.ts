import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { Misuse } from "../../src/kit/trouble.ts";
import { matchLabel } from "../../src/law/label.ts";
import { type Pack, packName } from "../../src/law/pack.ts";
import { checkPackFile, loadPacks } from "../../src/law/packs.ts";
import { mayRefuse } from "../../src/law/source.ts";

const OWN = join(import.meta.dirname, "../../config/packs");
const BAD = join(import.meta.dirname, "bad");
const packs = loadPacks(OWN);
const pack = (id: string): Pack => packs.get(id) ?? expect.fail(`no pack ${id}`);

function complaintsOf(directory: string): readonly string[] {
  try {
    loadPacks(directory);
    return [];
  } catch (error) {
    if (!(error instanceof Misuse)) throw error;
    return error.problems.map((problem) => problem.replaceAll(`${directory}/`, ""));
  }
}

describe("the packs that come with consentry", () => {
  it("are all there, each under its file's name", () =>
    expect([...packs.keys()].map((id) => `${id}.yaml`)).toEqual(readdirSync(OWN).sort()));

  it.each([...packs.values()])("$id is cited with its version, and has enough examples of its label", (own) => {
    expect(packName(own)).toBe(`${own.id}@${own.version}`);
    if (!own.label) return;
    expect(own.examples.labelled.length).toBeGreaterThanOrEqual(25);
    expect(own.examples.unlabelled.length).toBeGreaterThanOrEqual(25);
    expect(new Set([...own.examples.labelled, ...own.examples.unlabelled]).size).toBe(
      own.examples.labelled.length + own.examples.unlabelled.length,
    );
  });

  it.each([...packs.values()])("$id refuses nobody on the strength of general knowledge", (own) => {
    const { label, consent, scope, refusal, codes, caps, contents } = own;
    for (const requirement of [label, consent, scope, refusal, codes, codes?.service, ...caps, ...contents]) {
      if (requirement && !mayRefuse(requirement.source)) {
        expect(requirement.onMissing).toEqual({ clients: "note", strangers: "note" });
      }
    }
  });

  it.each([...packs.values()])("$id says of every article what holds people to it, or why nothing does", (own) => {
    const silent = own.articles.filter(
      ({ enforcedBy, notEnforced }) => (enforcedBy === undefined) === (notEnforced === undefined),
    );
    expect(silent.map(({ source }) => source.cite)).toEqual([]);
  });

  const facts: [id: string, demands: object][] = [
    ["cn-2006", { refusal: { validDays: 30, source: { cite: "Order 38 (CN 2006) art. 14" } }, caps: [] }],
    ["cn-2026", { label: { accept: ["广告", "AD"] }, retention: { logDays: 184 } }],
    [
      "vn-2008",
      { caps: [{ max: 5, windowHours: 24, of: "mail" }], refusal: { stopHours: 24 }, codes: { validYears: 3 } },
    ],
    ["vn-2012", { caps: [{ max: 1, windowHours: 24, of: "similar" }], refusal: { stopHours: 0 } }],
    ["vn-2020", { caps: [{ max: 3, windowHours: 24, of: "mail" }], label: { accept: ["[QC]", "[AD]"] } }],
    ["kr", { label: { accept: ["(광고)"], position: "exact" }, consent: { model: "opt-in" } }],
    ["sg", { label: { accept: ["<ADV> "] }, consent: { model: "opt-out" }, refusal: { stopBusinessDays: 10 } }],
    ["jp", { consent: { model: "opt-in" } }],
    ["hk", { consent: { model: "opt-out" }, retention: { consentDays: 1096 } }],
    ["tw", { consent: { model: "opt-out" } }],
    ["us", { consent: { model: "opt-out" }, refusal: { stopBusinessDays: 10, validDays: 30 } }],
    ["eu", { consent: { model: "opt-in" } }],
    ["mbp-2024", { status: "platform", refusal: { channels: ["one-click"], stopHours: 48 } }],
  ];
  it.each(facts)("%s demands what its law does", (id, demands) => expect(pack(id)).toMatchObject(demands));

  it("have no label where their law has none", () => {
    const without = [...packs.values()].filter(({ label }) => !label).map(({ id }) => id);
    expect(without.sort()).toEqual(["eu", "hk", "jp", "mbp-2024", "tw", "us"]);
  });
});

describe("cn-2006", () => {
  const cn = pack("cn-2006");
  const cites = cn.articles.map(({ source }) => source.cite);

  it("has every article of Order 38, 1 to 27, and the three items of article 13", () => {
    const all = Array.from({ length: 27 }, (_, index) => `Order 38 (CN 2006) art. ${index + 1}`);
    expect(cites).toEqual(expect.arrayContaining([...all, ...[1, 2, 3].map((item) => `${all[12]}(${item})`)]));
  });

  it("names the fine of every duty that has one", () => {
    const fined = cn.articles.filter(({ fine }) => fine).map(({ source }) => source.cite.replace(/^.* art\. /, ""));
    expect(fined.filter((article) => /^\d+$/.test(article)).map(Number)).toEqual([
      4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 43,
    ]);
  });

  it("asks clients for label and consent, and keeps the record sixty days", () => {
    expect(cn.label).toMatchObject({
      accept: ["广告", "AD"],
      position: "front",
      onMissing: { clients: "reject", strangers: "note" },
    });
    expect(cn.consent).toMatchObject({ model: "opt-in", onMissing: { clients: "reject", strangers: "note" } });
    expect(cn.retention).toMatchObject({ logDays: 60, source: { cite: "Order 38 (CN 2006) art. 10" } });
  });
});

describe("vn-2008", () => {
  const vn = pack("vn-2008");

  it("is history, from 2009-02-08 to 2015-01-20", () =>
    expect(vn).toMatchObject({ status: "historic", inForce: { from: "2009-02-08", until: "2015-01-20" } }));

  it.each(["[QC]", "[ADV]", "[QC 1231]", "[ADV 1231]"])("knows %s", (label) => {
    expect(vn.label && matchLabel(vn.label, `${label} Khuyến mãi`)).toMatchObject({ found: true, text: label });
  });

  it("only notes a missing label: nobody has confirmed the form for e-mail", () =>
    expect(vn.label?.source.confidence).toBe("GK"));

  it("keeps refusals and advertisements sixty days", () =>
    expect(vn.retention).toMatchObject({ consentDays: 60, contentDays: 60 }));
});

describe("a pack that cannot be used", () => {
  it.each(readdirSync(BAD))("%s: every error is named, with file and line", (name) => {
    const directory = join(BAD, name);
    const expected = readFileSync(join(directory, "complaint.txt"), "utf8").trimEnd().split("\n");
    expect(complaintsOf(directory)).toEqual(expected);
  });

  // Made here and not kept as files: formatters and editors would mend them.
  const unreadable: [title: string, content: Buffer, complaints: string[]][] = [
    [
      "YAML that does not parse",
      Buffer.from('id: xx-2020\nlabel:\n  accept: ["[AD]"\n'),
      ["xx-2020.yaml:4: Flow sequence in block collection must be sufficiently indented and end with a ]"],
    ],
    [
      "bytes that are no UTF-8",
      Buffer.from("title: d\xe9j\xe0\n", "latin1"),
      ["xx-2020.yaml:1: cannot be read: ERR_ENCODING_INVALID_ENCODED_DATA"],
    ],
    ["a file far too large", Buffer.alloc(1_048_577, "#"), ["xx-2020.yaml:1: larger than 1048576 bytes"]],
  ];
  it.each(unreadable)("%s", (_, content, complaints) => {
    const directory = mkdtempSync(join(tmpdir(), "consentry-packs-"));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    writeFileSync(join(directory, "xx-2020.yaml"), content);
    expect(complaintsOf(directory)).toEqual(complaints);
  });

  it("is told by checkPackFile without a throw, and a good one is returned", () => {
    const good = checkPackFile(join(OWN, "cn-2006.yaml"));
    expect(good).toMatchObject({ pack: { id: "cn-2006" }, problems: [] });
    const bad = checkPackFile(join(BAD, "an-empty-file/xx-2020.yaml"));
    expect(bad.pack).toBeUndefined();
    expect(bad.problems).toHaveLength(1);
  });

  it("is a file that is not there", () =>
    expect(checkPackFile(join(OWN, "none.yaml")).problems).toEqual([
      `${join(OWN, "none.yaml")}:1: cannot be read: ENOENT`,
    ]));

  it("is a directory that is not there", () => expect(() => loadPacks(join(OWN, "none"))).toThrow(Misuse));
});
