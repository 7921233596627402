import { describe, expect, it } from "vitest";
import { detect } from "../../../src/rules/advertising/detect.ts";
import { subjectLabel } from "../../../src/rules/advertising/subject-label.ts";
import { recordedConsent } from "../../../src/rules/consent/recorded-consent.ts";
import type { Described } from "../../helpers/described.ts";
import { detectionOf } from "../../helpers/detections.ts";
import { tellings, testRule } from "../../helpers/rule-tester.ts";
import { smallPack } from "../../helpers/small-packs.ts";

type Detected = Parameters<typeof detectionOf>[1];
const reads = (score: number, more?: Detected) => ({ detection: detectionOf(score, more) });
const packThat = (clients: "apply" | "hold" | "note" | "off", strangers: "apply" | "hold" | "note" | "off") => [
  { ...smallPack({ label: "XAD", consent: "opt-in" }), detected: { clients, strangers } },
];
const client = { client: {} };
const noted = "body: note reads like undeclared advertising";
const held = "body: hold held";
const many = { copies: { recipients: 200, senders: 1, networks: 1 } };

testRule(detect, {
  letsThrough: [
    ["ordinary mail of a client", { ...client, ...reads(0.1) }],
    ["a stranger's advertisement where no pack asks", reads(0.99)],
    ["a client's where the pack does not look", { ...client, ...reads(0.99), packs: packThat("off", "off") }],
    ["an advertisement where no law protects the recipient", { ...client, ...reads(0.99), packs: [] }],
    ["a declared one: it was judged with its headers", { ...client, ...reads(0.99), with: "X-Ad: yes" }],
    ["a labelled one", { ...client, ...reads(0.99), header: "From: a@b.example\nSubject: [QC] x" }],
    [
      "a delivery report with the advertisement in it",
      {
        ...client,
        ...reads(0.99),
        from: "",
        with: "Content-Type: multipart/report; report-type=delivery-status; boundary=x",
      },
    ],
    [
      "an automatic reply that quotes one",
      { ...client, ...reads(0.99), from: "", with: "Auto-Submitted: auto-replied" },
    ],
    ["an advertiser's, whose every mail is one", { client: { kind: "advertiser" }, ...reads(0.99) }],
    [
      "ninety-nine copies of ordinary mail",
      { ...client, ...reads(0.1, { copies: { ...many.copies, recipients: 99 } }) },
    ],
  ],
  catches: [
    [
      "a client's undeclared advertisement, by a note: label and consent are other rules' matter",
      { ...client, ...reads(0.99) },
      noted,
    ],
    [
      "one that says it is a report, with a sender to answer to",
      { ...client, ...reads(0.99), with: "Content-Type: multipart/report; boundary=x" },
      noted,
    ],
    ["one of a host of relayNetworks", { relayNetwork: true, ...reads(0.99) }, noted],
    ["one that is just likely", { ...client, ...reads(0.65) }, noted],
    ["a stranger's where the pack holds", { ...reads(0.99), packs: packThat("apply", "hold") }, held],
    ["a stranger's where the pack notes", { ...reads(0.99), packs: packThat("apply", "note") }, noted],
    ["a stranger's that is not sure enough to hold", { ...reads(0.7), packs: packThat("apply", "hold") }, noted],
    ["a client's where the pack holds", { ...client, ...reads(0.99), packs: packThat("hold", "off") }, held],
    [
      "what reads like fraud and sells nothing",
      { ...client, ...reads(0.1, { unwanted: 0.9 }) },
      "body: note reads like spam",
    ],
    ["two hundred copies of ordinary mail", { ...client, ...reads(0.1, many) }, "body: note the same text to many"],
    [
      "copies beyond the operator's number",
      { ...client, ...reads(0.1, { copies: { ...many.copies, recipients: 20 } }), options: { copiesMin: 20 } },
      "body: note the same text to many",
    ],
    [
      "a stranger's under a law nobody has confirmed, by a note",
      {
        ...reads(0.99),
        packs: [
          { ...smallPack({ label: "XAD", confidence: "GK" }), detected: { clients: "apply", strangers: "hold" } },
        ],
      },
      noted,
    ],
  ],
});

const everything = async (mail: Described): Promise<string[]> =>
  (await Promise.all([detect, recordedConsent, subjectLabel].map((rule) => tellings(rule, mail))))
    .flat()
    .filter(({ stage, finding }) => stage === "body" && !["pass", "skip"].includes(finding.kind))
    .map(({ finding }) =>
      "reply" in finding
        ? `${finding.kind} ${finding.reply}`
        : `${finding.kind} ${"reason" in finding ? finding.reason : ""}`,
    );

describe("a mail that reads like advertising", () => {
  it("of a client without a label is refused by the label rule as if it had declared itself", async () => {
    const mail = { ...client, ...reads(0.9), consents: ["shop ann@example.com"] };
    expect(await everything(mail)).toEqual(["note reads like undeclared advertising", "reject label-missing"]);
    const [refusal] = (await tellings(subjectLabel, mail)).filter(({ finding }) => finding.kind === "reject");
    expect(refusal?.finding).toMatchObject({
      evidence: { score: 0.9, detected: "prices and ordering words, links 1 to 1 host" },
      detail: expect.stringMatching(
        /^U\+5E7F .*; the mail reads like advertising; if it is none, write to the postmaster$/,
      ),
    });
  });

  it("of a client to somebody who never agreed is refused by the consent rule", async () => {
    expect(await everything({ ...client, ...reads(0.9) })).toEqual([
      "note reads like undeclared advertising",
      "reject consent-missing",
      "reject label-missing",
    ]);
  });

  it("of a client to somebody who refused is refused by the consent rule", async () => {
    const found = await everything({ ...client, ...reads(0.9), consents: ["shop ann@example.com withdrawn"] });
    expect(found).toContain("reject consent-withdrawn");
  });

  it("below the operator's threshold is only noted", async () => {
    expect(await everything({ ...client, ...reads(0.79) })).toEqual(["note reads like undeclared advertising"]);
  });

  it("of a stranger is never refused, whatever the pack holds", async () => {
    expect(await everything({ ...reads(0.99), packs: packThat("apply", "hold") })).toEqual(["hold held"]);
    expect(await everything({ ...reads(0.99), packs: packThat("apply", "apply") })).toEqual([
      "note reads like undeclared advertising",
      "note no consent recorded",
      "note reads like advertising, without a label",
    ]);
  });

  it("is judged for the recipients whose pack asks, and for no others", async () => {
    const asks = {
      ...smallPack({ id: "xx", label: "XAD" }),
      detected: { clients: "apply", strangers: "off" } as const,
    };
    const silent = {
      ...smallPack({ id: "yy", label: "YAD" }),
      detected: { clients: "off", strangers: "off" } as const,
    };
    const mail = { ...client, ...reads(0.9), packs: [asks, silent] };
    const found = (await tellings(subjectLabel, mail)).filter(({ finding }) => finding.kind === "reject");
    expect(found.map(({ finding }) => finding.packs?.map(({ id }) => id))).toEqual([["xx"]]);
  });
});

describe("nobody reads a mail", () => {
  it.each<[string, Described]>([
    ["of a stranger where packs do not ask", {}],
    ["that declares itself", { ...client, with: "X-Ad: yes" }],
    ["where no law protects the recipient", { ...client, packs: [] }],
    ["under a law that asks for nothing", { ...client, packs: [smallPack()] }],
  ])("%s", async (_, mail) => {
    const detection = detectionOf(0.99);
    await everything({ ...mail, detection });
    expect(detection.asked).toBe(0);
  });

  it("unless somebody wants to know, who is told and nothing follows", async () => {
    const [telling] = await tellings(detect, reads(0.99, { always: true }));
    expect(telling?.finding).toMatchObject({
      kind: "skip",
      evidence: { score: 0.99, detected: expect.stringContaining("prices") },
    });
  });
});
