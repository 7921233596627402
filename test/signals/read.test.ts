import { expect, it } from "vitest";
import { Headers } from "../../src/mail/headers.ts";
import { readMail } from "../../src/signals/read.ts";

const MAIL = Buffer.from(
  [
    "Subject: =?utf-8?Q?fr=E2=80=8Bee?= offer",
    "To: Hoa <hoa.le@example.com>",
    "Cc: x@example.net",
    "",
    "mo\u200bney",
    "",
  ].join("\r\n"),
);
const read = (recipients?: string[]) => readMail(Headers.parse(MAIL), MAIL, recipients);

it("a mail is read into its decoded Subject and visible text, tricks of both counted together", () => {
  expect(read()).toMatchObject({ subject: "free offer", text: { text: "money", zeroWidth: 2 } });
});

it("whose names to leave out is known from the envelope, else from To and Cc", () => {
  expect(read().own).toEqual(["hoa.le", "x"]);
  expect(read(["nam"]).own).toEqual(["nam"]);
});
