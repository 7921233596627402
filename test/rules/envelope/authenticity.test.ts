import { describe, expect, it } from "vitest";
import { makeKey, writeMail } from "../../../scripts/bench/lib/signed-mail.ts";
import { authenticity } from "../../../src/rules/envelope/authenticity.ts";
import type { Described } from "../../helpers/described.ts";
import { tellings, testRule } from "../../helpers/rule-tester.ts";

const dns = [
  "sender.example TXT v=spf1 ip4:203.0.113.9 -all",
  "mx.sender.example A 203.0.113.9",
  "bank.example TXT v=spf1 ip4:192.0.2.1 -all",
  "_dmarc.bank.example TXT v=DMARC1; p=reject; sp=quarantine",
  "_dmarc.shop.test TXT v=DMARC1; p=none",
  "shop.test TXT v=spf1 ip4:192.0.2.1 -all exp=why.shop.test",
  "why.shop.test TXT ask %{o} first",
  "broken.example TXT v=spf1 ip4:none",
  "quiet.example silence",
  "_dmarc.quiet2.example silence",
  "_dmarc.tempted.example TXT v=DMARC1; p=reject",
  "tempted.example silence TXT",
  "_dmarc.try.example TXT v=DMARC1; p=reject; t=y",
];

const from = (header: string, envelope: string, more: Described = {}): Described => ({
  dns,
  from: envelope,
  header: `From: Somebody <${header}>\nDate: Sun, 22 Nov 2026 07:30:00 +0000`,
  body: "hello\n",
  ...more,
});

testRule(authenticity, {
  letsThrough: [
    ["a sender whom SPF proves", from("bob@sender.example", "bob@sender.example")],
    ["one of our own, whatever he forges", from("boss@bank.example", "boss@bank.example", { relayNetwork: true })],
    ["anybody, where no DNS server is named", { from: "boss@bank.example" }],
    ["the null sender, proved by HELO", from("bob@sender.example", "", { helo: "sender.example" })],
  ],
  catches: [
    [
      "From of a domain that asks for reject",
      from("boss@bank.example", "bob@sender.example"),
      "body: reject dmarc-fail",
    ],
    [
      "From below it, whose policy is quarantine",
      from("boss@hr.bank.example", "bob@sender.example"),
      "body: hold held",
    ],
    [
      "two authors, one of them forged",
      from("a@sender.example>, <b@bank.example", "bob@sender.example"),
      "body: reject dmarc-fail",
    ],
    ["a domain that only tests", from("a@try.example", "bob@sender.example"), "body: hold held"],
    [
      "From of such a domain, where the operator only notes",
      from("boss@bank.example", "bob@sender.example", { options: { dmarcReject: "note" } }),
      "body: note neither SPF nor DKIM proves bank.example, which asks for reject",
    ],
    [
      "SPF fail where no policy decides, noted",
      from("a@shop.test", "a@shop.test"),
      "body: note neither SPF nor DKIM proves shop.test, which asks for none",
    ],
    [
      "SPF fail where the operator refuses it",
      from("a@shop.test", "a@shop.test", { options: { spfFail: "reject" } }),
      "body: reject spf-fail",
    ],
    [
      "SPF fail for recipients whose pack refuses it",
      from("a@shop.test", "a@shop.test", { options: { spfFailByPack: { "cn-2006": "reject" } } }),
      "body: reject spf-fail",
    ],
    [
      "an SPF record that cannot be used, where the operator refuses it",
      from("a@broken.example", "a@broken.example", { options: { spfError: "reject" } }),
      "body: reject spf-error",
    ],
    [
      "an unsigned mail of a domain that signs all of its own",
      from("bob@sender.example", "bob@sender.example", { options: { mustSign: ["Sender.example"] } }),
      "body: reject dkim-missing",
    ],
    ["silence about SPF", from("a@quiet.example", "a@quiet.example"), "body: defer dns-away"],
    ["silence about the policy", from("a@quiet2.example", "bob@sender.example"), "body: defer dns-away"],
    ["silence that may hide the proof", from("a@tempted.example", "a@tempted.example"), "body: defer dns-away"],
    [
      "silence, where the operator only notes it",
      from("a@quiet.example", "a@quiet.example", { options: { dnsSilent: "note" } }),
      "body: note DNS does not answer",
    ],
    [
      "a sender nobody can know anything of",
      from("a@unknown.example", "a@unknown.example"),
      "body: note no SPF record, no signature and no policy say who sent it",
    ],
    [
      "a signature that cannot be checked any more",
      from("a@unknown.example", "a@unknown.example", {
        header:
          "From: a@unknown.example\nDKIM-Signature: v=1; a=rsa-sha256; d=unknown.example; s=gone; h=from; bh=aGVsbG8=; b=aGVsbG8=",
      }),
      "body: note the signature proves nothing: no key in DNS",
    ],
  ],
});

describe("a domain that signs all its mail", () => {
  const key = makeKey();
  const domains = ["sender.example", "other.example"].map((domain) => `s._domainkey.${domain} TXT ${key.record}`);
  const judged = async (domain: string, change = (mail: string) => mail) => {
    const signer = { domain, selector: "s", privateKey: key.privateKey };
    const text = change(
      (await writeMail("bob@sender.example", "ann@example.com", { textBytes: 200, signer })).toString("latin1"),
    );
    const end = text.indexOf("\r\n\r\n") + 4;
    const options = { mustSign: ["sender.example"] };
    const mail = { dns: [...dns, ...domains], header: Buffer.from(text.slice(0, end)), body: text.slice(end), options };
    const found = (await tellings(authenticity, mail)).map(({ finding }) => finding);
    return found.flatMap((finding) => ("reply" in finding ? [finding.reply] : []));
  };

  it("is heard when it has signed", async () => {
    expect(await judged("sender.example")).toEqual([]);
  });

  it("is not, when only somebody else has", async () => {
    expect(await judged("other.example")).toEqual(["dkim-author"]);
  });

  it("is not, when the mail was changed", async () => {
    expect(await judged("sender.example", (mail) => mail.replace("quick", "slow"))).toEqual(["dkim-missing"]);
  });
});

describe("what authenticity writes into the mail", () => {
  const edits = async (mail: Described) =>
    (await tellings(authenticity, mail)).flatMap(({ finding }) => finding.edits ?? []);

  it("are its results, for the next server", async () => {
    const [edit] = await edits(from("bob@sender.example", "bob@sender.example"));
    expect(edit).toEqual({
      kind: "add",
      name: "Authentication-Results",
      value: [
        "relay.example.net",
        'spf=pass reason="ip4:203.0.113.9" smtp.mailfrom=bob@sender.example',
        "spf=none smtp.helo=mx.sender.example",
        "dkim=none",
        'dmarc=none reason="no policy is published" header.from=sender.example',
      ].join(";\r\n\t"),
    });
  });

  it.each([
    ["relay.example.net; spf=pass", true],
    ["RELAY.example.net 1; spf=pass", true],
    ["relay.example.net/1; spf=pass", true],
    ["(a comment) relay.example.net. ; spf=pass", true],
    ['"relay.example.net"; spf=pass', true],
    ["\n relay.example.net;\n spf=pass", true],
    ["other.example.net; spf=pass", false],
    ["relay.example.net.evil.example; spf=pass", false],
  ])("takes out results in our name: %j %s", async (value, removed) => {
    const header = `Authentication-Results: ${value}\nFrom: bob@sender.example`;
    for (const more of [{}, { relayNetwork: true }, { dns: undefined }] as Partial<Described>[]) {
      const all = await edits({ ...from("bob@sender.example", "bob@sender.example"), header, ...more } as Described);
      expect(all.some(({ kind }) => kind === "remove")).toBe(removed);
    }
  });

  it("says what the domain's owner has to say", async () => {
    const mail = from("a@shop.test", "a@shop.test", { options: { spfFail: "reject" } });
    const found = (await tellings(authenticity, mail)).map(({ finding }) => finding);
    expect(found.at(-1)).toMatchObject({ kind: "reject", detail: "ask shop.test first" });
  });
});
