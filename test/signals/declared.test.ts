import { describe, expect, it } from "vitest";
import { declaredAdvertising, signInWords, signsOf } from "../../src/signals/declared.ts";
import { type Described, packOf, viewsOf } from "../helpers/described.ts";
import { smallPack } from "../helpers/small-packs.ts";

const PACKS = [packOf("cn-2006"), packOf("vn-2008")];
const signs = (mail: Described, packs = PACKS): string[] => signsOf(viewsOf(mail).header, packs);
const withHeader = (...lines: readonly string[]): Described => ({ with: lines.join("\n") });

describe("what headers say of a mail", () => {
  it.each<[string, Described, string[]]>([
    ["an ordinary mail", {}, []],
    ["an advertiser's", { client: { kind: "advertiser" } }, ["ad-client"]],
    ["an advertising service's", { client: { kind: "ad-service" } }, ["ad-client"]],
    ["another client's", { client: { kind: "email-provider" } }, []],
    ["one with X-Ad", withHeader("X-Ad: yes"), ["x-ad"]],
    ["one whose X-Ad says no", withHeader("X-Ad: no"), []],
    ["a campaign's", withHeader("X-Mailgun-Tag: spring"), ["campaign"]],
    ["one with a way to leave", withHeader("List-Unsubscribe: <https://l.example/u>"), ["unsubscribe"]],
    [
      "one with one-click unsubscribing",
      withHeader("List-Unsubscribe: <https://l.example/u>", "List-Unsubscribe-Post: List-Unsubscribe=One-Click"),
      ["unsubscribe", "one-click"],
    ],
    ["one with a feedback loop", withHeader("Feedback-ID: 12:shop:esp"), ["feedback-id"]],
    ["bulk", withHeader("Precedence: bulk"), ["bulk"]],
    ["junk, which is bulk", withHeader("Precedence: JUNK"), ["bulk"]],
    ["one of a list", withHeader("Precedence: list", "List-Id: <dev.lists.example>"), ["list"]],
    ["one of a list that only says where to post", withHeader("List-Post: <mailto:dev@lists.example>"), ["list"]],
    ["a machine's", withHeader("Auto-Submitted: auto-generated"), ["automatic"]],
    ["one that no machine sent", withHeader("Auto-Submitted: no"), []],
    ["an automatic reply", withHeader("Auto-Submitted: auto-replied (vacation)"), ["reply"]],
    ["a delivery report", withHeader("Content-Type: multipart/report; boundary=x"), ["report"]],
    ["a labelled one", { header: "From: a@b.example\nSubject: 广告 x" }, ["label"]],
    [
      "everything at once, in one order, each once",
      withHeader("List-Id: <a>", "List-Post: <b>", "X-Campaign: 1", "X-Job: 2", "X-Ad: 1", "Precedence: bulk"),
      ["x-ad", "campaign", "bulk", "list"],
    ],
  ])("%s", (_, mail, expected) => {
    expect(signs(mail)).toEqual(expected);
  });

  it("know the labels of the packs in force and of no others", () => {
    const mail = { header: "From: a@b.example\nSubject: 广告 x" };
    expect(signs(mail, [smallPack({ label: "XAD" })])).toEqual([]);
    expect(signs({ header: "Subject: XAD x" }, [smallPack({ label: "XAD" })])).toEqual(["label"]);
  });

  it("are told in words without a value of the mail", () => {
    const mail = withHeader("X-Campaign: secret", "List-Id: <secret.example>");
    expect(signsOf(viewsOf(mail).header, PACKS).map(signInWords)).toEqual(["a campaign header", "list headers"]);
  });
});

describe("a mail declares itself advertising", () => {
  it.each<[string, Described, string | undefined]>([
    ["by its client", { client: { kind: "advertiser" } }, "client is advertiser"],
    ["by X-Ad", withHeader("X-Ad: TRUE"), "X-Ad header"],
    [
      "by being bulk with a way to leave",
      withHeader("List-Unsubscribe: <x>", "Precedence: bulk"),
      "List-Unsubscribe with Precedence: bulk",
    ],
    ["by a label", { header: "Subject: [QC] x" }, "label in the Subject"],
    ["not by a campaign header", withHeader("X-Campaign: 1", "Feedback-ID: 1"), undefined],
    ["not by a way to leave alone", withHeader("List-Unsubscribe: <x>"), undefined],
    ["not by being junk", withHeader("List-Unsubscribe: <x>", "Precedence: junk"), undefined],
    ["not by being a list", withHeader("List-Unsubscribe: <x>", "List-Id: <y>", "Precedence: list"), undefined],
    ["not by being a machine's", withHeader("Auto-Submitted: auto-generated"), undefined],
  ])("%s", (_, mail, expected) => {
    expect(declaredAdvertising(viewsOf(mail).header, PACKS)).toBe(expected);
  });
});
