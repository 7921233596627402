import { describe, expect, it } from "vitest";
import { deliveryStatuses } from "../../src/mail/delivery-status.ts";

const report = (groups: string, type = "message/delivery-status", more = ""): string =>
  `From: MAILER-DAEMON@mx.example\nContent-Type: multipart/report; report-type=delivery-status;\n boundary="b"\n\n--b\n\nIt failed.\n--b\nContent-Type: ${type}\n${more}\n${groups}\n--b\nContent-Type: text/rfc822-headers\n\nAction: failed\nStatus: 5.0.0\n--b--\n`;
const ABOUT = "Reporting-MTA: dns; mx.example\nArrival-Date: Sun, 22 Nov 2026 10:00:00 +0000\n";

describe("what a report says of recipients", () => {
  it.each<[string, string, string[]]>([
    [
      "one that failed",
      report(`${ABOUT}\nFinal-Recipient: rfc822; b@b.example\nAction: failed\nStatus: 5.1.1\n`),
      ["failed 5.1.1"],
    ],
    [
      "several, with fields on several lines",
      report(
        `${ABOUT}\nFinal-Recipient: rfc822; b@b.example\nAction: Failed\nStatus: 5.2.1 (disabled)\n\nFinal-Recipient:\n rfc822; c@b.example\nAction:\n delayed\nStatus: 4.4.1\n`,
      ),
      ["failed 5.2.1", "delayed 4.4.1"],
    ],
    [
      "the server's own code where the field says nothing",
      report(`${ABOUT}\nAction: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp; 550 5.1.1 no such user\n`),
      ["failed 5.1.1"],
    ],
    [
      "the field where it says more than nothing",
      report(`${ABOUT}\nAction: failed\nStatus: 5.7.1\nDiagnostic-Code: smtp; 550 5.1.1 x\n`),
      ["failed 5.7.1"],
    ],
    [
      "an international one",
      report(`${ABOUT}\nAction: failed\nStatus: 5.1.1\n`, "message/global-delivery-status"),
      ["failed 5.1.1"],
    ],
    [
      "nothing where it is encoded",
      report("QWN0aW9uOg==", "message/delivery-status", "Content-Transfer-Encoding: base64\n"),
      [],
    ],
    ["nothing in what is no report", "Subject: away\n\nAction: failed\nStatus: 5.1.1\n", []],
    ["nothing where the part never begins", "Content-Type: message/delivery-status", []],
    ["no status where there is none", report(`${ABOUT}\nAction: failed\n`), ["failed "]],
  ])("%s", (_, text, expected) => {
    for (const wire of [text, text.replaceAll("\n", "\r\n")]) {
      expect(deliveryStatuses(wire).map(({ action, status }) => `${action} ${status}`)).toEqual(expected);
    }
  });
});
