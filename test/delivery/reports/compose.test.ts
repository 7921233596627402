import { simpleParser } from "mailparser";
import { describe, expect, it } from "vitest";
import { OWN_WORDS } from "../../../src/delivery/queue/own-words.ts";
import type { Attempt, QueuedMail, QueuedRecipient, Report } from "../../../src/delivery/queue/queued.ts";
import { composeReport, type ReportOptions } from "../../../src/delivery/reports/compose.ts";
import { createReporter, wants } from "../../../src/delivery/reports/reporter.ts";
import type { Sender } from "../../../src/mail/views.ts";
import { queuedMail } from "../../helpers/carrying.ts";
import { recipientOf, senderOf } from "../../helpers/letters.ts";

const AT = 1_700_000_100_000;
const HEADER = "From: <a@a.example>\r\nMessage-ID: <m1@a.example>\r\nSubject: hello\r\n";
const options: ReportOptions = {
  hostname: "relay.example",
  from: "mailer-daemon@relay.example",
  languages: ["en"],
  nowMs: AT + 1_000,
  id: "01REPORT",
};

const refused: Attempt = {
  kind: "failed",
  scope: "recipient",
  reply: { code: 550, enhanced: "5.1.1", lines: ["<b@b.example>: no such user", "see https://b.example/help"] },
  at: AT,
  server: "mx.b.example",
  serverIp: "192.0.2.1",
};

const queued = (to: string, last: Attempt | undefined, more: object = {}): QueuedRecipient => ({
  recipient: recipientOf(to, more),
  state: "failed",
  attempts: 1,
  nextAt: 0,
  ...(last && { last }),
});

interface About {
  readonly kind?: Report["kind"];
  readonly from?: string;
  readonly sender?: Partial<Sender>;
  readonly recipients?: readonly QueuedRecipient[];
  readonly original?: Buffer | string;
  readonly isWhole?: boolean;
}

function reportOf({
  kind = "failed",
  from = "a@a.example",
  sender,
  recipients,
  original = HEADER,
  isWhole = false,
}: About): Report {
  const all = recipients ?? [queued("b@b.example", refused)];
  const mail: QueuedMail = queuedMail(
    all.map(({ recipient }) => recipient),
    { from, ...(sender && { sender }) },
  );
  return { kind, mail, recipients: all, original: Buffer.from(original), isWhole };
}

interface Part {
  readonly type: string;
  readonly fields: string;
  readonly body: string;
}

/** The parts as they stand, by their boundary; an independent reader has its turn below and in test/real. */
function partsOf(text: Buffer): { head: string; parts: Part[] } {
  const all = text.toString();
  const boundary = /boundary="([^"]+)"/.exec(all)?.[1] ?? "";
  const [head = "", ...parts] = all.split(`\r\n--${boundary}`);
  return {
    head,
    parts: parts.slice(0, -1).map((part) => {
      const [fields = "", ...body] = part.replace(/^\r\n/, "").split("\r\n\r\n");
      return { type: /Content-Type: ([^;\s]+)/.exec(fields)?.[1] ?? "", fields, body: body.join("\r\n\r\n") };
    }),
  };
}
const compose = (about: About, more: Partial<ReportOptions> = {}) => {
  const composed = composeReport(reportOf(about), { ...options, ...more });
  return { ...composed, ...partsOf(composed.text) };
};

describe("a report that a mail failed", () => {
  it("has the header of a report (RFC 3464, RFC 3834)", () => {
    const { head } = compose({});
    expect(head).toContain("From: Mail Delivery System <mailer-daemon@relay.example>\r\nTo: <a@a.example>\r\n");
    expect(head).toContain("Auto-Submitted: auto-replied\r\n");
    expect(head).toContain("In-Reply-To: <m1@a.example>\r\nReferences: <m1@a.example>\r\n");
    expect(head).toContain("Message-ID: <01REPORT@relay.example>\r\n");
    expect(head).toMatch(/Content-Type: multipart\/report; report-type=delivery-status;\r\n\tboundary=/);
  });

  it("tells people and programs what the server said", () => {
    const { parts, eightBit, smtpUtf8 } = compose({
      sender: { envid: "E=1" },
      recipients: [queued("b@b.example", refused, { orcpt: "rfc822;o@a.example" })],
    });
    expect(parts.map(({ type }) => type)).toEqual(["text/plain", "message/delivery-status", "text/rfc822-headers"]);
    expect(parts[0]?.body).toContain(
      "  <b@b.example>\r\n    mx.b.example says:\r\n      550 5.1.1 <b@b.example>: no such user\r\n      see https",
    );
    expect(parts[1]?.body).toBe(
      [
        "Reporting-MTA: dns; relay.example",
        "Original-Envelope-Id: E=1",
        "Arrival-Date: Tue, 14 Nov 2023 22:13:20 +0000",
        "",
        "Original-Recipient: rfc822; o@a.example",
        "Final-Recipient: rfc822; b@b.example",
        "Action: failed",
        "Status: 5.1.1",
        "Remote-MTA: dns; mx.b.example",
        "Diagnostic-Code: smtp; 550 5.1.1 <b@b.example>: no such user see",
        " https://b.example/help",
        "Last-Attempt-Date: Tue, 14 Nov 2023 22:15:00 +0000",
        "",
      ].join("\r\n"),
    );
    expect(parts[2]?.body).toBe(HEADER);
    expect([eightBit, smtpUtf8]).toEqual([false, false]);
  });

  it.each([
    ["en", "does not exist|there is no such domain"],
    ["zh", "该域名不存在"],
    ["vi", "tên miền này không tồn tại"],
  ] as const)("says our own reasons in the language asked for (%s)", async (language, words) => {
    const last: Attempt = { kind: "failed", scope: "destination", reply: OWN_WORDS["no-domain"], at: AT };
    const { text } = compose({ recipients: [queued("b@b.example", last)] }, { languages: [language] });
    const parsed = await simpleParser(text);
    expect(parsed.text).toMatch(new RegExp(words));
    expect(parsed.subject).not.toMatch(/=\?/);
    const { parts } = partsOf(text);
    expect(parts[1]?.body).toContain("Diagnostic-Code: x-consentry; there is no such domain");
    expect(parts[1]?.body).not.toContain("Remote-MTA");
    expect(text.every((byte) => byte < 128)).toBe(true);
  });

  it("comes in several languages when it is not known which", async () => {
    const parsed = await simpleParser(compose({}, { languages: ["vi", "en"] }).text);
    expect(parsed.subject).toBe("Thư của bạn không gửi được");
    expect(parsed.text).toMatch(/không thể chuyển đến.*could not be delivered to/s);
  });

  it("names many recipients in the part for programs and some in the text", () => {
    const recipients = Array.from({ length: 100 }, (_, i) => queued(`u${i}@b.example`, refused));
    const { parts } = compose({ recipients });
    expect(parts[0]?.body.match(/<u\d+@/g)).toHaveLength(25);
    expect(parts[0]?.body).toContain("and 75 more");
    expect(parts[1]?.body.match(/^Final-Recipient/gm)).toHaveLength(100);
  });
});

describe("kinds of report", () => {
  const later: Attempt = { ...refused, kind: "later", reply: { code: 451, enhanced: "4.7.1", lines: ["try later"] } };
  const taken: Attempt = { ...refused, kind: "delivered", reply: { code: 250, enhanced: "2.0.0", lines: ["queued"] } };
  it.each([
    ["expired", later, "Action: failed\r\nStatus: 4.4.7"],
    ["delayed", later, "Action: delayed\r\nStatus: 4.7.1"],
    ["delivered", taken, "Action: delivered\r\nStatus: 2.0.0"],
    ["relayed", taken, "Action: relayed\r\nStatus: 2.0.0"],
  ] as const)("%s", (kind, last, fields) => {
    const { parts } = compose({ kind, recipients: [queued("b@b.example", last)] });
    expect(parts[1]?.body).toContain(fields);
    expect(/Will-Retry-Until: Sun, 19 Nov 2023 22:13:20 \+0000/.test(parts[1]?.body ?? "")).toBe(kind === "delayed");
  });
});

describe("the mail it is about", () => {
  const whole = `${HEADER}\r\nbody\r\n`;
  it.each<[string, About, string, RegExp]>([
    ["comes whole where that was asked for", { original: whole, isWhole: true }, "message/rfc822", /hello\r\n\r\nbody/],
    ["comes as its header", { original: whole }, "text/rfc822-headers", /hello\r\n$/],
    [
      "comes as its header when a server could not pass it on",
      { original: `${HEADER}\r\n${"x".repeat(1_000)}\r\n`, isWhole: true },
      "text/rfc822-headers",
      /hello\r\n$/,
    ],
    [
      "comes as its header when it has a bare newline",
      { original: `${HEADER}\r\nx\ny\r\n`, isWhole: true },
      "text/rfc822-headers",
      /hello\r\n$/,
    ],
    [
      "is quoted where its header holds 8-bit text",
      { original: Buffer.from("Subject: chào\r\n") },
      "text/rfc822-headers",
      /ch=C3=A0o/,
    ],
    [
      "is quoted where a header line is endless",
      { original: `Subject: ${"x".repeat(2_000)}\r\n` },
      "text/rfc822-headers",
      /=\r\nx/,
    ],
  ])("%s", (_, about, type, body) => {
    const { parts, text } = compose(about);
    expect(parts[2]?.type).toBe(type);
    expect(parts[2]?.body).toMatch(body);
    expect(
      text
        .toString("latin1")
        .split("\r\n")
        .every((line) => line.length <= 998 && !/[\r\n]/.test(line)),
    ).toBe(true);
  });

  it("is 8-bit only where all of an 8-bit mail was asked for", () => {
    const original = Buffer.from(`${HEADER}\r\nchào\r\n`);
    expect(compose({ original, isWhole: true }).eightBit).toBe(true);
    expect(compose({ original }).eightBit).toBe(false);
  });
});

describe("addresses that are not ASCII (RFC 6533)", () => {
  const to = queued("người@b.example", refused, { orcpt: "utf-8;cũ@a.example" });
  it("are written out to a sender who has one himself", () => {
    const { parts, smtpUtf8, eightBit } = compose({
      from: "thư@a.example",
      sender: { smtpUtf8: true },
      recipients: [to],
      original: "Subject: chào\r\n",
    });
    expect([smtpUtf8, eightBit]).toEqual([true, true]);
    expect(parts.map(({ type }) => type)).toEqual([
      "text/plain",
      "message/global-delivery-status",
      "message/global-headers",
    ]);
    expect(parts[1]?.body).toContain(
      "Original-Recipient: utf-8; cũ@a.example\r\nFinal-Recipient: utf-8; người@b.example\r\n",
    );
  });

  it("are escaped to a sender of ASCII, whose server may take nothing else", () => {
    const { parts, smtpUtf8, eightBit } = compose({
      sender: { smtpUtf8: true },
      recipients: [to],
      original: "Subject: chào\r\n",
    });
    expect([smtpUtf8, eightBit]).toEqual([false, false]);
    expect(parts[1]?.body).toContain("Final-Recipient: utf-8; ng\\x{1B0}\\x{1EDD}i@b.example\r\n");
  });
});

describe("who wants a report", () => {
  it.each([
    [undefined, ["failed", "expired", "delayed"]],
    [["NEVER"], []],
    [["SUCCESS"], ["delivered", "relayed"]],
    [["FAILURE"], ["failed", "expired"]],
    [
      ["SUCCESS", "DELAY"],
      ["delayed", "delivered", "relayed"],
    ],
  ])("NOTIFY=%s: %s", (notify, kinds) => {
    const recipient = recipientOf("b@b.example", notify && { notify });
    const all = ["failed", "expired", "delayed", "delivered", "relayed"] as const;
    expect(all.filter((kind) => wants(recipient, kind))).toEqual(kinds);
  });

  const reporter = createReporter({
    hostname: () => "relay.example",
    from: () => "mailer-daemon@relay.example",
    languagesFor: async () => ["en"],
    ids: { next: () => "01" },
    clock: { now: () => AT },
  });

  it("only those who asked stand in it", async () => {
    const recipients = [queued("b@b.example", refused), queued("c@b.example", refused, { notify: ["NEVER"] })];
    const own = await reporter.compose(reportOf({ recipients }));
    expect(own?.recipient.address.text).toBe("a@a.example");
    expect(String(own?.text)).toMatch(/b@b\.example/);
    expect(String(own?.text)).not.toMatch(/c@b\.example/);
  });

  it("nobody, where nobody asked or nobody sent it", async () => {
    const silent = [queued("c@b.example", refused, { notify: ["NEVER"] })];
    expect(await reporter.compose(reportOf({ recipients: silent }))).toBeUndefined();
    const report = reportOf({});
    expect(await reporter.compose({ ...report, mail: { ...report.mail, sender: senderOf(null) } })).toBeUndefined();
  });
});
