/** Reports through a real Postfix, read by Python's email package: another program's idea of RFC 3464. */
import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { OWN_WORDS } from "../../src/delivery/queue/own-words.ts";
import type { Attempt, QueuedRecipient, Report } from "../../src/delivery/queue/queued.ts";
import { createReporter } from "../../src/delivery/reports/reporter.ts";
import type { Language } from "../../src/mail/language.ts";
import type { Sender } from "../../src/mail/views.ts";
import { type Carrying, carrying, meant, queuedMail } from "../helpers/carrying.ts";
import { recipientOf } from "../helpers/letters.ts";
import { type Postfix, postfixIsHere, startPostfix } from "../helpers/postfix.ts";

const READER = `
import email, email.policy, json, sys
mail = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.default)
parts = list(mail.iter_parts())
def groups(part):
    return [[[name, str(value)] for name, value in group.items()] for group in part.get_payload()]
json.dump({
    "type": mail.get_content_type(), "report": mail.get_param("report-type"), "subject": str(mail["Subject"]),
    "auto": str(mail["Auto-Submitted"]), "return": str(mail["Return-Path"]), "types": [p.get_content_type() for p in parts],
    "text": parts[0].get_content(), "status": groups(parts[1]), "defects": [str(d) for p in mail.walk() for d in p.defects],
    "original": parts[2].as_string(),
}, sys.stdout)
`;

interface Read {
  readonly type: string;
  readonly report: string;
  readonly subject: string;
  readonly auto: string;
  readonly return: string;
  readonly types: readonly string[];
  readonly text: string;
  readonly status: readonly (readonly (readonly [string, string])[])[];
  readonly defects: readonly string[];
  readonly original: string;
}

const python = (() => {
  try {
    execFileSync("python3", ["-c", "import email.policy"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();
const read = (mail: Buffer): Read =>
  JSON.parse(String(execFileSync("python3", ["-c", READER], { input: mail }))) as Read;

const AT = 1_700_000_100_000;
const HEADER = "From: <b@example.test>\r\nMessage-ID: <m1@example.test>\r\nSubject: =?utf-8?B?Y2jDoG8=?=\r\n";
const refused: Attempt = {
  kind: "failed",
  scope: "recipient",
  reply: { code: 550, enhanced: "5.1.1", lines: ["no such user"] },
  at: AT,
  server: "mx.far.example",
  serverIp: "192.0.2.1",
};
const far = (last: Attempt, kind: Report["kind"]): QueuedRecipient => ({
  recipient: recipientOf("x@far.example", {
    orcpt: "rfc822;x@old.example",
    ...(kind === "relayed" && { notify: ["SUCCESS"] }),
  }),
  state: "failed",
  attempts: 1,
  nextAt: 0,
  last,
});

const reporterIn = (language: Language, id: string) =>
  createReporter({
    hostname: () => "relay.example",
    from: () => "mailer-daemon@relay.example",
    languagesFor: async () => [language],
    ids: { next: () => id },
    clock: { now: () => AT },
  });

describe.skipIf(!postfixIsHere() || !python)("reports through a real Postfix, read by Python", () => {
  let postfix: Postfix;
  let way: Carrying;
  let count = 0;
  beforeAll(async () => {
    postfix = await startPostfix({ users: ["b", "c"] });
    way = carrying({ nextHop: { to: `smtp://127.0.0.1:${postfix.port}`, tls: "never" } });
  });
  afterAll(async () => {
    await way.carrier.close(1_000);
    await postfix.stop();
  });

  async function sentAndRead(report: Report, language: Language): Promise<Read> {
    const own = await reporterIn(language, `R${report.mail.id}`).compose(report);
    if (!own) throw new Error("nobody wants the report");
    const [attempt] = await way.send([own.recipient], {
      from: null,
      sender: { eightBit: own.eightBit, smtpUtf8: own.smtpUtf8 },
      text: own.text,
    });
    expect(attempt && meant(attempt)).toMatch(/^delivered mail 250/);
    count += 1;
    const mails = await postfix.delivered("b", count);
    const found = mails.find((mail) => mail.includes(`<R${report.mail.id}@relay.example>`));
    if (!found) throw new Error("another mail came");
    return read(found);
  }

  const reportOf = (
    id: string,
    kind: Report["kind"],
    last: Attempt,
    more: { sender?: Partial<Sender>; body?: Buffer } = {},
  ): Report => ({
    kind,
    mail: { ...queuedMail([], { from: "b@example.test", ...more }), id },
    recipients: [far(last, kind)],
    original: more.body ? Buffer.concat([Buffer.from(`${HEADER}\r\n`), more.body]) : Buffer.from(HEADER),
    isWhole: more.body !== undefined,
  });

  it.each([
    ["en", "failed", "Your mail could not be delivered"],
    ["zh", "expired", "您的邮件未能在期限内投递"],
    ["vi", "delayed", "Thư của bạn bị chậm"],
    ["vi", "relayed", "Thư của bạn đã được chuyển tiếp"],
  ] as const)("in %s, of a mail that is %s", async (language, kind, subject) => {
    const last = kind === "failed" ? refused : { ...refused, kind: "later" as const, reply: OWN_WORDS["dns-away"] };
    const got = await sentAndRead(
      reportOf(`01${kind}${language}`, kind, last, { sender: { envid: "QQ314159" } }),
      language,
    );
    expect(got).toMatchObject({
      type: "multipart/report",
      report: "delivery-status",
      subject,
      auto: "auto-replied",
      defects: [],
    });
    expect(got.return).toBe("<>");
    expect(got.types).toEqual(["text/plain", "message/delivery-status", "text/rfc822-headers"]);
    expect(got.text).toContain("x@far.example");
    const [mail, recipient] = got.status.map((fields) => Object.fromEntries(fields));
    expect(mail).toMatchObject({ "Reporting-MTA": "dns; relay.example", "Original-Envelope-Id": "QQ314159" });
    expect(recipient).toMatchObject({
      "Final-Recipient": "rfc822; x@far.example",
      "Original-Recipient": "rfc822; x@old.example",
    });
    expect(recipient?.Action).toBe(kind === "expired" ? "failed" : kind);
  });

  it("with all of the mail, in 8 bits", async () => {
    const got = await sentAndRead(reportOf("01WHOLE", "failed", refused, { body: Buffer.from("chào\r\n") }), "en");
    expect(got.types[2]).toBe("message/rfc822");
    expect(got.defects).toEqual([]);
    expect(got.original).toContain("Message-ID: <m1@example.test>");
  });

  it("which Postfix writes itself where it took over what the sender asked for", async () => {
    const asking = recipientOf("c@example.test", { notify: ["SUCCESS"], orcpt: "rfc822;old@example.test" });
    const [attempt] = await way.send([asking], {
      from: "b@example.test",
      sender: { envid: "TAKEN+OVER", ret: "HDRS" },
    });
    expect(attempt).toMatchObject({ kind: "delivered", tellsSender: true });
    count += 1;
    const mails = await postfix.delivered("b", count);
    const dsn = mails.map(read).find(({ status }) => JSON.stringify(status).includes("TAKEN"));
    const [mail, recipient] = (dsn?.status ?? []).map((fields) => Object.fromEntries(fields));
    expect(mail?.["Original-Envelope-Id"]).toBe("TAKEN+OVER");
    expect(recipient).toMatchObject({ "Original-Recipient": "rfc822;old@example.test", Action: "delivered" });
  });
});
