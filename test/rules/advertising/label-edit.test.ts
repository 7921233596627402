import { describe, expect, it } from "vitest";
import { editHeader } from "../../../src/mail/edits.ts";
import { Headers } from "../../../src/mail/headers.ts";
import { decodedSubject } from "../../../src/mail/subject.ts";
import { labelEdit } from "../../../src/rules/advertising/label-edit.ts";
import { packOf, recipientOf, senderOf, sessionOf } from "../../helpers/described.ts";

const china = [{ packs: [packOf("cn-2006")], recipients: [recipientOf("li@cn.example")] }];
const korea = [{ packs: [packOf("kr")], recipients: [recipientOf("kim@kr.example")] }];

/** The Subject as its reader then sees it. */
function labelled(block: string | Buffer, groups = china, labels = ["广告"]): string | undefined {
  const bytes = Buffer.from(block);
  const headers = Headers.parse(bytes);
  const recipients = groups.flatMap((group) => group.recipients);
  const view = { session: sessionOf({ client: {} }), mailId: "m", sender: senderOf(), recipients, headers };
  const made = labelEdit(view, groups, labels);
  if (!made) return undefined;
  const changed = editHeader(bytes, [made.edit]);
  return decodedSubject(Headers.parse(Buffer.concat([changed.added, changed.block])));
}

describe("a label in front of a Subject", () => {
  it.each([
    ["plain text", "Subject: summer sale\r\n\r\n", "广告 summer sale"],
    ["an encoded word", "Subject: =?UTF-8?B?5aSP5a2j?=\r\n\r\n", "广告夏季"],
    ["several, folded", "Subject: =?UTF-8?B?5aSP5a2j?=\r\n =?UTF-8?B?5paw5ZOB?=\r\n\r\n", "广告夏季新品"],
    ["raw UTF-8", "Subject: 夏季新品\r\n\r\n", "广告 夏季新品"],
    ["nothing", "Subject:\r\n\r\n", "广告"],
    ["no Subject at all", "From: a@b.example\r\n\r\n", "广告"],
    ["a name in capitals", "SUBJECT : sale\r\n\r\n", "广告 sale"],
  ])("of %s reads as the label and then the old text", (_, block, expected) => {
    expect(labelled(block)).toBe(expected);
  });

  it("is exact where the law is", () => {
    expect(labelled("Subject: sale\r\n\r\n", korea, ["(광고)"])).toBe("(광고) sale");
  });

  it("breaks no line that was not too long before", () => {
    const words = Array.from({ length: 30 }, () => "=?UTF-8?B?5aSP5a2j5paw5ZOB5aSP5a2j5paw5ZOB?=").join("\r\n ");
    const bytes = Buffer.from(`Subject: ${words}\r\n\r\n`);
    const headers = Headers.parse(bytes);
    const view = { session: sessionOf({ client: {} }), mailId: "m", sender: senderOf(), recipients: [], headers };
    const made = labelEdit(view, china, ["广告"]);
    const { block } = editHeader(bytes, made ? [made.edit] : []);
    expect(
      Math.max(
        ...block
          .toString()
          .split("\r\n")
          .map((line) => line.length),
      ),
    ).toBeLessThan(100);
  });

  it.each([
    ["two Subjects", "Subject: a\r\nSubject: b\r\n\r\n"],
    ["bytes of a charset that nobody names", Buffer.from([...Buffer.from("Subject: "), 0xb9, 0xe3, 13, 10, 13, 10])],
    ["a Subject without end", `Subject: ${"x".repeat(3000)}\r\n\r\n`],
    ["a signed mail", "DKIM-Signature: v=1\r\nSubject: a\r\n\r\n"],
  ])("is not put there for %s", (_, block) => expect(labelled(block)).toBeUndefined());
});
