import { headerShape } from "../../../src/rules/envelope/header-shape.ts";
import { type Described, NOW_MS, ORDINARY } from "../../helpers/described.ts";
import { testRule } from "../../helpers/rule-tester.ts";

const { from, date, subject } = ORDINARY;
const lines = (...parts: readonly string[]): Described => ({ header: parts.join("\n") });
const dated = (text: string): Described => lines(from, `Date: ${text}`, subject);
const written = (text: string): Described => lines(text, date, subject);
const noFrom = "header: reject from-missing";
const twice = "header: reject header-twice";
const noDate = "header: reject date-insane";
const DAY_MS = 86_400_000;

testRule(headerShape, {
  letsThrough: [
    ["an ordinary mail", {}],
    ["no Subject, To or Message-ID", lines(from, date)],
    ["a display name in any encoding", written("From: =?gb2312?B?1cXI/Q==?= <zhang@sender.example>")],
    ["a display name with a comma nobody quoted", written("From: Lee, Bob <bob@sender.example>")],
    ["a display name that is an address", written("From: bob@sender.example <bob@sender.example>")],
    ["two authors", written("From: bob@sender.example, eve@sender.example")],
    ["an address without a dot, from a device", written("From: root@printer")],
    ["an address with the root's dot", written("From: bob@sender.example.")],
    ["many Received, Resent and Comments lines", { with: "Received: a\nReceived: b\nComments: x\nComments: y" }],
    ["a Date with its zone in a comment", dated("Sun, 22 Nov 2026 15:30:00 +0800 (CST)")],
    ["a Date with comments in comments", dated("Sun, 22 Nov 2026 15:30:00 +0800 (a (b) c)")],
    ["a Date without a weekday", dated("22 Nov 2026 07:30 GMT")],
    ["a Date of two-digit years", dated("Sun, 22 Nov 26 07:30:00 GMT")],
    ["a Date with single digits", dated("Sun, 22 Nov 2026 7:3:0 +0000")],
    ["a Date with a zone that RFC 5322 4.3 calls unknown", dated("Sun, 22 Nov 2026 07:30:00 CET")],
    ["a Date with a military zone", dated("Sun, 22 Nov 2026 07:30:00 Z")],
    ["a Date with a foreign weekday", dated("So, 22 Nov 2026 07:30:00 +0000")],
    ["a Date folded", dated("Sun, 22 Nov 2026\n 07:30:00 +0000")],
    ["a clock that is a day ahead", dated("Mon, 23 Nov 2026 08:00:00 +0000")],
    ["a mail of nine years ago", dated("Wed, 22 Nov 2017 08:00:00 +0000")],
    [
      "an old mail where any age will do",
      { ...dated("Mon, 1 Jan 1990 08:00:00 +0000"), options: { datePastDaysMax: 0 } },
    ],
  ],
  catches: [
    ["no From", lines(date, subject), noFrom],
    ["two From", lines(from, from, date), noFrom],
    ["two From in different cases", lines(from, "FROM: eve@sender.example", date), noFrom],
    ["two From, one with a blank before the colon", lines(from, "From\t : eve@sender.example", date), noFrom],
    ["two From, one folded", lines(from, "From:\n eve@sender.example", date), noFrom],
    ["an empty From", written("From:"), noFrom],
    ["From with a name only", written("From: Bob"), noFrom],
    ["From with an empty pair of brackets", written("From: Bob <>"), noFrom],
    ["From of an empty group", written("From: undisclosed:;"), noFrom],
    ["From as one encoded word", written("From: =?utf-8?Q?bob=40sender.example?="), noFrom],
    [
      "From with an encoded address beside a plain one",
      written("From: bob@sender.example, =?utf-8?Q?eve=40x.example?="),
      noFrom,
    ],
    ["From with an unreadable address beside a plain one", written("From: bob@sender.example, eve@x..example"), noFrom],
    ["a From in the body only", lines(date, subject, "", from), noFrom],
    ["two Subjects", { with: "Subject: another" }, twice],
    ["two Subjects, one with a blank before the colon", { with: "subject : another" }, twice],
    ["two Message-IDs", { with: "Message-ID: <1@x>\nMessage-Id: <2@x>" }, twice],
    ["two Senders", { with: "Sender: a@b.example\nsender: c@d.example" }, twice],
    ["two To", { with: "To: a@b.example\nTO: c@d.example" }, twice],
    ["two Reply-To", { with: "Reply-To: a@b.example\nReply-To: c@d.example" }, twice],
    ["no Date", lines(from, subject), noDate],
    ["two Dates", { with: date }, noDate],
    ["an empty Date", dated(""), noDate],
    ["a Date in words", dated("yesterday"), noDate],
    ["a Date that is a number", dated("12"), noDate],
    ["a Date with a month that does not exist", dated("Sun, 22 Foo 2026 07:30:00 +0000"), noDate],
    ["a Date of next week", dated("Sun, 29 Nov 2026 08:00:00 +0000"), noDate],
    ["a Date of 2038", dated("Tue, 19 Jan 2038 03:14:07 +0000"), noDate],
    ["a Date of 1970", dated("Thu, 1 Jan 1970 00:00:00 +0000"), noDate],
    [
      "a Date before the bound the operator set",
      { nowMs: NOW_MS + 3 * DAY_MS, options: { datePastDaysMax: 2 } },
      noDate,
    ],
    [
      "a Date ahead of the bound the operator set",
      { ...dated("Sun, 22 Nov 2026 12:00:00 +0000"), options: { dateFutureHoursMax: 2 } },
      noDate,
    ],
    [
      "a line that is no header",
      { with: "this is no header line" },
      "header: note lines in the header block that are no header",
    ],
    [
      "a block that begins with a blank",
      { header: ` x: y\n${from}\n${date}` },
      "header: note lines in the header block that are no header",
    ],
  ],
});
