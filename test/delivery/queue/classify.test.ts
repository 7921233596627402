import { describe, expect, it } from "vitest";
import { CLASSES } from "../../../src/delivery/queue/classes.ts";
import { meaningOf, meaningOfReply, meaningOfTrouble } from "../../../src/delivery/queue/classify.ts";
import { OWN_WORDS } from "../../../src/delivery/queue/own-words.ts";
import { Broken } from "../../../src/delivery/smtp/broken.ts";
import { ReplyReader, relayed } from "../../../src/delivery/smtp/replies-in.ts";

/** As it comes on the wire, read by the reader that reads servers. */
function replyOf(text: string) {
  const lines = text.split("\n");
  const wire = lines.map((line, i) => (i < lines.length - 1 ? line.replace(/^(\d{3}) /, "$1-") : line)).join("\r\n");
  const [reply] = new ReplyReader().push(Buffer.from(`${wire}\r\n`));
  if (!reply) throw new Error(`no reply: ${text}`);
  return relayed(reply);
}

const [HELLO, MAIL, RCPT, DATA, END] = ["greeting", "MAIL", "RCPT", "DATA", "end of the mail"];

/** step, what is said there, row, kind and scope. Lines as the makers' own documentation has them, with documentation addresses. */
const SAID: readonly (readonly [step: string, line: string, name: string, means: string])[] = [
  // Gmail
  [END, "421 4.3.0 Temporary System Problem. Try again later - gsmtp", "closing", "later destination"],
  [HELLO, "421 4.4.5 Server busy, try again later.", "closing", "later destination"],
  [
    END,
    "421 4.7.0 [192.0.2.1 15] Our system has detected an unusual rate of unsolicited mail originating from your IP address.",
    "closing",
    "later destination",
  ],
  [RCPT, "421 4.7.0 TLS required for RCPT domain, closing connection.", "closing", "later destination"],
  [
    RCPT,
    "450 4.2.1 The user you are trying to contact is receiving mail too quickly. Please resend your message at a later time.",
    "recipient-too-fast",
    "later recipient",
  ],
  [RCPT, "451 4.3.0 Multiple destination domains per transaction is unsupported.", "later-by-code", "later recipient"],
  [END, "451 4.3.0 Mail server temporarily rejected message.", "later-by-code", "later mail"],
  [
    RCPT,
    "452 4.2.2 The email account that you tried to reach is over quota.\n452 4.2.2 Please direct the recipient to the help page",
    "mailbox-full",
    "later recipient",
  ],
  [
    RCPT,
    "452 4.5.3 Domain policy size per transaction exceeded, please try this recipient in a separate transaction.",
    "too-many-recipients",
    "later recipient",
  ],
  [RCPT, "452 4.5.3 Your message has too many recipients.", "too-many-recipients", "later recipient"],
  [
    RCPT,
    "550 5.1.1 The email account that you tried to reach does not exist. Please try\n550 5.1.1 double-checking the recipient's email address",
    "failed-by-code",
    "failed recipient",
  ],
  [RCPT, "550 5.2.1 The email account that you tried to reach is disabled.", "failed-by-code", "failed recipient"],
  [
    END,
    "550 5.7.1 [192.0.2.1 13] Our system has detected an unusual rate of unsolicited mail originating from your IP address.",
    "we-are-blocked",
    "later destination",
  ],
  [
    END,
    "550 5.7.1 Our system has detected that this message is likely unsolicited mail.",
    "failed-by-code",
    "failed mail",
  ],
  [
    END,
    "550 5.7.25 [192.0.2.1] The IP address sending this message does not have a PTR record setup",
    "we-are-blocked",
    "later destination",
  ],
  [
    END,
    "550 5.7.26 Unauthenticated email from example.com is not accepted due to domain's DMARC policy.",
    "failed-by-code",
    "failed mail",
  ],
  [RCPT, "552 5.2.2 The email account that you tried to reach is over quota.", "mailbox-full", "failed recipient"],
  [END, "552 5.3.4 Your message exceeded Google's message size limits.", "failed-by-code", "failed mail"],
  [END, "552 5.7.0 This message was blocked because its content presents a potential", "failed-by-code", "failed mail"],
  // Outlook.com and Microsoft 365
  [
    MAIL,
    "550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. Please contact your Internet service provider since part of their network is on our block list (S3150).",
    "we-are-blocked",
    "later destination",
  ],
  [
    MAIL,
    "451 4.7.650 The mail server [192.0.2.1] has been temporarily rate limited due to IP reputation. (S775)",
    "we-are-slowed",
    "later destination",
  ],
  [
    RCPT,
    "451 4.7.500 Server busy. Please try again later from [192.0.2.1]. (AS843)",
    "we-are-slowed",
    "later destination",
  ],
  [MAIL, "550 5.7.606 Access denied, banned sending IP [192.0.2.1]", "we-are-blocked", "later destination"],
  [
    RCPT,
    "550 5.4.1 Recipient address rejected: Access denied. [x.prod.outlook.com]",
    "failed-by-code",
    "failed recipient",
  ],
  [
    RCPT,
    "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup",
    "failed-by-code",
    "failed recipient",
  ],
  [END, "554 5.2.2 mailbox full; STOREDRV.Deliver.Exception", "mailbox-full", "failed recipient"],
  [MAIL, "452 4.3.1 Insufficient system resources", "server-full", "later destination"],
  // Yahoo
  [
    MAIL,
    "421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user complaints - 4.16.55.1",
    "closing",
    "later destination",
  ],
  [
    HELLO,
    "553 5.7.1 [BL21] Connections not accepted from IP addresses on Spamhaus PBL",
    "we-are-blocked",
    "later destination",
  ],
  [END, "554 5.7.9 Message not accepted for policy reasons.", "failed-by-code", "failed mail"],
  [RCPT, "450 User is receiving mail too quickly", "recipient-too-fast", "later recipient"],
  // Postfix
  [
    RCPT,
    "450 4.2.0 <a@b.example>: Recipient address rejected: Greylisted, see http://postgrey.schweikert.ch/help/b.example.html",
    "greylisted",
    "later recipient",
  ],
  [
    RCPT,
    "450 4.7.25 Client host rejected: cannot find your hostname, [192.0.2.1]",
    "we-are-slowed",
    "later destination",
  ],
  [RCPT, "450 4.7.1 <relay.example>: Helo command rejected: Host not found", "we-are-slowed", "later destination"],
  [RCPT, "450 4.1.8 <s@x.example>: Sender address rejected: Domain not found", "sender-refused", "later mail"],
  [RCPT, "553 5.7.1 <s@x.example>: Sender address rejected: not owned by user x", "sender-refused", "failed mail"],
  [RCPT, "451 4.3.0 <a@b.example>: Temporary lookup failure", "later-by-code", "later recipient"],
  [RCPT, "450 4.1.1 <a@b.example>: Recipient address rejected: unverified address", "later-by-code", "later recipient"],
  [
    RCPT,
    "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org",
    "we-are-blocked",
    "later destination",
  ],
  [RCPT, "554 5.7.1 <a@b.example>: Relay access denied", "failed-by-code", "failed recipient"],
  [
    RCPT,
    "550 5.1.1 <a@b.example>: Recipient address rejected: User unknown in virtual mailbox table",
    "failed-by-code",
    "failed recipient",
  ],
  [RCPT, "452 4.5.3 Error: too many recipients", "too-many-recipients", "later recipient"],
  [MAIL, "452 4.3.1 Insufficient system storage", "server-full", "later destination"],
  [MAIL, "552 5.3.4 Message size exceeds fixed limit", "failed-by-code", "failed mail"],
  [MAIL, "530 5.7.0 Must issue a STARTTLS command first", "terms", "later destination"],
  [END, "451 4.3.0 Error: queue file write error", "later-by-code", "later mail"],
  [END, "451 4.7.1 Service unavailable - try again later", "later-by-code", "later mail"],
  [DATA, "554 5.5.1 Error: no valid recipients", "failed-by-code", "failed mail"],
  // Sendmail, Exim, Dovecot, Cyrus, qmail, milter-greylist, RFCs
  [MAIL, "452 4.4.5 Insufficient disk space; try again later", "server-full", "later destination"],
  [
    HELLO,
    "421 relay.example: Too many concurrent SMTP connections; please try again later.",
    "closing",
    "later destination",
  ],
  [RCPT, "451 4.7.1 Greylisting in action, please come back in 00:05:00", "greylisted", "later recipient"],
  [RCPT, "451 Temporary local problem - please try later", "later-by-code", "later recipient"],
  [END, "552 5.2.2 <a@b.example> Quota exceeded (mailbox for user is full)", "mailbox-full", "failed recipient"],
  [END, "452 4.2.2 <a@b.example> Quota exceeded (mailbox for user is full)", "mailbox-full", "later recipient"],
  [RCPT, "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)", "failed-by-code", "failed recipient"],
  [RCPT, "552 Too many recipients", "too-many-recipients", "later recipient"],
  [RCPT, "552 Requested mail action aborted: exceeded storage allocation", "mailbox-full", "failed recipient"],
  [RCPT, "252 2.0.0 Cannot VRFY", "nonsense", "later destination"],
  [HELLO, "521 mail.example does not accept mail", "takes-no-mail", "failed destination"],
  [RCPT, "556 5.1.10 Recipient address has null MX", "takes-no-mail", "failed destination"],
  [HELLO, "554 No SMTP service here", "no-service", "later destination"],
  ["EHLO", "550 5.5.2 go away", "no-service", "later destination"],
  ["AUTH", "535 5.7.8 Authentication credentials invalid", "terms", "later destination"],
  // Blocks as other makers and providers word them
  [
    MAIL,
    "550 5.7.1 Service unavailable; client [192.0.2.1] blocked using Cloudmark Sender Intelligence",
    "we-are-blocked",
    "later destination",
  ],
  [
    MAIL,
    "550 SC-001 (BAY004-MC4F3) Unfortunately, messages from IP 192.0.2.1 weren't sent.",
    "we-are-blocked",
    "later destination",
  ],
  [
    HELLO,
    "554 mx.example cmsmtp [192.0.2.1] is listed on Cloudmark CSI-Global.",
    "we-are-blocked",
    "later destination",
  ],
  [
    HELLO,
    "554 mx.example comcast 192.0.2.1 found on one or more DNSBLs, see http://postmaster.comcast.net/smtp-error-codes.php",
    "we-are-blocked",
    "later destination",
  ],
  [
    MAIL,
    "553 5.3.0 flpd568 DNSBL:RBL 521< 192.0.2.1 >_is_blocked.For assistance forward this error to abuse_rbl@abuse-att.net",
    "we-are-blocked",
    "later destination",
  ],
  [
    HELLO,
    "521-192.0.2.1 blocked by sbc:blacklist.mailrelay.att.net.\n521 DNSRBL: Blocked for abuse.",
    "we-are-blocked",
    "later destination",
  ],
  [
    MAIL,
    "550 5.7.1 Connections not accepted from servers without a valid sender domain.",
    "we-are-blocked",
    "later destination",
  ],
  [
    HELLO,
    "554-mx.example\n554 Your access to this mail system has been rejected due to the sending MTA's poor reputation.",
    "we-are-blocked",
    "later destination",
  ],
  [
    RCPT,
    "554 5.7.1 Rejected - your IP address was found in a blacklist for sending spam.",
    "we-are-blocked",
    "later destination",
  ],
  [RCPT, "550 5.7.1 <a@b.example>: on the recipient's blocklist", "recipient-blocks", "failed recipient"],
  [RCPT, "550 5.7.1 Sender address s@x.example is on our blacklist", "sender-refused", "failed mail"],
  [END, "554 5.7.1 Message contains a link listed by SURBL", "failed-by-code", "failed mail"],
  [MAIL, "354 go on", "nonsense", "later destination"],
  [END, "250 2.0.0 Ok: queued as 4B1F2", "taken", "delivered mail"],
];

describe("what servers say", () => {
  it.each(SAID)("at %s: %s is %s: %s", (step, line, name, means) => {
    const { name: row, kind, scope } = meaningOfReply(replyOf(line), step);
    expect(`${row}: ${kind} ${scope}`).toBe(`${name}: ${means}`);
  });

  it("every row of the table has a line that it is for", () => {
    const used = new Set(SAID.map(([, , name]) => name));
    expect(CLASSES.map(({ name }) => name).filter((name) => !used.has(name))).toEqual([]);
  });

  it("is kept in the server's own words", () => {
    expect(meaningOfReply(replyOf("550 5.1.1 no such user"), RCPT as string).reply).toEqual({
      code: 550,
      enhanced: "5.1.1",
      lines: ["no such user"],
    });
  });
});

const brokenAt = (step: string, how: Broken["how"], said?: string): Broken =>
  new Broken({ name: "smtp://mx.example", step }, how, {
    what: "broke",
    ...(said && { said: { code: Number(said.slice(0, 3)), lines: [said.slice(4)] } }),
  });

describe("talks that break", () => {
  it.each([
    ["connecting", "refused", "not-connected", "destination"],
    ["connecting", "unreachable", "not-connected", "destination"],
    ["connecting", "timeout", "not-connected", "destination"],
    ["connecting", "closed", "not-connected", "destination"],
    ["greeting", "timeout", "silent", "destination"],
    ["greeting", "closed", "hung", "destination"],
    ["greeting", "garbled", "nonsense", "destination"],
    ["EHLO", "timeout", "silent", "destination"],
    ["STARTTLS", "tls", "tls-missing", "destination"],
    ["TLS handshake", "tls", "tls-broken", "destination"],
    ["TLS handshake", "timeout", "tls-broken", "destination"],
    ["MAIL", "timeout", "silent", "destination"],
    ["RCPT", "closed", "hung", "destination"],
    ["DATA", "timeout", "silent", "destination"],
    ["sending the mail", "timeout", "silent", "mail"],
    ["sending the mail", "closed", "hung", "mail"],
    ["end of the mail", "timeout", "silent", "mail"],
    ["end of the mail", "closed", "hung", "mail"],
    ["end of the mail", "garbled", "nonsense", "destination"],
    ["reading the mail", "ours", "busy", "mail"],
  ] as const)("at %s, %s: %s, and the %s waits", (step, how, word, scope) => {
    expect(meaningOfTrouble(brokenAt(step, how))).toEqual({ name: word, kind: "later", scope, reply: OWN_WORDS[word] });
  });

  it.each([
    ["greeting", "554 5.7.1 Client host [192.0.2.1] blocked using zen.example", "later destination"],
    ["greeting", "220-nothing", "later destination"],
    ["end of the mail", "421 4.3.2 shutting down", "later destination"],
    ["RCPT", "421 4.7.0 too many errors", "later destination"],
  ])("at %s with the farewell %s: %s", (step, farewell, means) => {
    const { kind, scope } = meaningOf({ broken: brokenAt(step, "said", farewell) });
    expect(`${kind} ${scope}`).toBe(means);
  });

  it("our own refusals are final when they are 5xx", () => {
    const fate = { step: "MAIL", reply: OWN_WORDS["eight-bit"], isOurs: true };
    expect(meaningOf(fate)).toMatchObject({ kind: "failed", scope: "mail" });
  });
});
