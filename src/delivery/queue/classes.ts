/**
 * What an answer means for the queue: one table, read from the top, the first row that fits counts. The lines above a row are
 * what servers really say, as their makers document it; test/delivery/queue/classify.test.ts holds more of them. What no row
 * knows goes by code and step (classify.ts). Scope `destination`: it is about us or the server, so its other mails wait, too.
 */
import type { Attempt } from "./queued.ts";

/** Where in the talk: before MAIL, at MAIL, at RCPT, from DATA on. */
export type Part = "hello" | "mail" | "rcpt" | "content";

export interface AnswerClass {
  readonly name: string;
  readonly kind: Attempt["kind"];
  readonly scope: Attempt["scope"];
  /** Only answers of these codes. */
  readonly codes: RegExp;
  /** Only with these enhanced codes. */
  readonly enhanced?: RegExp;
  /** Only where the text, all lines in one, says so. */
  readonly says?: RegExp;
  /** Only there; absent: anywhere. */
  readonly parts?: readonly Part[];
}

export const CLASSES: readonly AnswerClass[] = [
  // "521-192.0.2.1 blocked by sbc:blacklist.mailrelay.att.net. 521 DNSRBL: Blocked for abuse." (AT&T): not what RFC 7504 means by 521
  { name: "we-are-blocked", codes: /^521$/, says: /block|black ?list|dnsrbl/i, kind: "later", scope: "destination" },

  // RFC 7504: "521 mail.example does not accept mail", "556 5.1.10 recipient domain has null MX"
  { name: "takes-no-mail", codes: /^(521|556)$/, kind: "failed", scope: "destination" },

  // "421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user complaints" (Yahoo)
  // "421 4.4.5 Server busy, try again later." (Gmail); "421 mx.example Service not available, closing transmission channel" (RFC 5321)
  { name: "closing", codes: /^421$/, kind: "later", scope: "destination" },

  // "530 5.7.0 Must issue a STARTTLS command first" (RFC 3207); "535 5.7.8 Authentication credentials invalid" (RFC 4954)
  // Nothing that sender or recipient could mend: it is between the two servers.
  { name: "terms", codes: /^(530|534|535|538)$/, kind: "later", scope: "destination" },

  // "450 4.2.0 <a@b.example>: Recipient address rejected: Greylisted, see http://postgrey.schweikert.ch/help/…" (postgrey)
  // "451 4.7.1 Greylisting in action, please come back in 00:05:00" (milter-greylist); "450 4.7.1 Greylisted for 5 minutes" (SQLgrey)
  { name: "greylisted", codes: /^4/, says: /gr[ae]y[- ]?list/i, kind: "later", scope: "recipient" },

  // "452 4.5.3 Error: too many recipients" (Postfix); "552 Too many recipients" (RFC 5321 4.5.3.1.10: the same as 452)
  { name: "too-many-recipients", codes: /^(4|552)/, enhanced: /^[45]\.5\.3$/, kind: "later", scope: "recipient" },
  { name: "too-many-recipients", codes: /^(4|552)/, says: /too many rec/i, kind: "later", scope: "recipient" },

  // "450 4.2.1 The user you are trying to contact is receiving mail too quickly." (Gmail)
  { name: "recipient-too-fast", codes: /^4/, says: /receiving mail (too|at a)/i, kind: "later", scope: "recipient" },

  // "452 4.2.2 The email account that you tried to reach is over quota." (Gmail); "452 4.2.2 Over quota" (Cyrus)
  { name: "mailbox-full", codes: /^4/, enhanced: /^4\.2\.2$/, kind: "later", scope: "recipient" },
  // "552 5.2.2 The email account that you tried to reach is over quota." (Gmail); "552 5.2.2 <a@b.example> Quota exceeded (mailbox
  // for user is full)" (Dovecot); "554 5.2.2 mailbox full" (Exchange)
  { name: "mailbox-full", codes: /^5/, enhanced: /^5\.2\.2$/, kind: "failed", scope: "recipient" },

  // "452 4.3.1 Insufficient system storage" (Postfix); "452 4.4.5 Insufficient disk space; try again later" (Sendmail)
  // "452 4.3.1 Insufficient system resources" (Exchange)
  {
    name: "server-full",
    codes: /^4/,
    says: /(insufficient|not enough) (main |system |disk )?(storage|space|resources)|disk full/i,
    kind: "later",
    scope: "destination",
  },

  // "450 4.1.8 <a@b.example>: Sender address rejected: Domain not found" (Postfix), said at RCPT as well as at MAIL
  // "550 5.1.8 Access denied, bad outbound sender" (Microsoft 365); "550 5.7.1 <a@b.example>: Sender address rejected: not owned"
  { name: "sender-refused", codes: /^4/, enhanced: /^4\.1\.[78]$/, kind: "later", scope: "mail" },
  { name: "sender-refused", codes: /^5/, enhanced: /^5\.1\.[78]$/, kind: "failed", scope: "mail" },
  {
    name: "sender-refused",
    codes: /^5/,
    says: /sender (address|domain) (rejected|refused|blocked|denied)|mail ?from domain|sender (address|domain)\b.{0,40}\b(block|black)[- ]?list/i,
    kind: "failed",
    scope: "mail",
  },

  // "450 4.7.25 Client host rejected: cannot find your hostname, [192.0.2.1]" (Postfix); "450 4.7.1 <relay>: Helo command rejected:
  // Host not found" (Postfix); "451 4.7.500 Server busy. Please try again later from [192.0.2.1]. (AS843)" (Microsoft 365)
  // "451 4.7.650 The mail server [192.0.2.1] has been temporarily rate limited due to IP reputation." (Outlook.com)
  {
    name: "we-are-slowed",
    codes: /^4/,
    says: /client host rejected|helo command rejected|rate[ -]?limit|unusual rate|throttl|temporarily deferred|user complaints|ip reputation|server busy|too many (concurrent |simultaneous )?(connections|sessions|messages|mails)|blocked using|block ?list|black ?list/i,
    kind: "later",
    scope: "destination",
  },
  {
    name: "we-are-slowed",
    codes: /^4/,
    enhanced: /^4\.(3\.[12]|4\.5|7\.(25|28))$/,
    kind: "later",
    scope: "destination",
  },

  // "550 5.7.1 <a@b.example>: the recipient's blocklist has you" – what one recipient, or his server for a sender, wants is no matter of addresses
  {
    name: "recipient-blocks",
    codes: /^5/,
    says: /recipient('s)? (block|black)[- ]?list/i,
    kind: "failed",
    scope: "recipient",
  },

  // A 5xx that means our address and not this mail: the mails wait, as for a 4xx, and the operator is told (work.ts).
  // "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org" (Postfix)
  // "550 5.7.1 Service unavailable; client [192.0.2.1] blocked using Cloudmark Sender Intelligence" (Cloudmark)
  // "550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. … part of their network is on our block list (S3150)." (Outlook.com)
  // "550 SC-001 (BAY004-MC4F3) Unfortunately, messages from IP 192.0.2.1 weren't sent." (Outlook.com)
  // "550 5.7.25 [192.0.2.1] The IP address sending this message does not have a PTR record setup" (Gmail)
  // "553 5.7.1 [BL21] Connections not accepted from IP addresses on Spamhaus PBL" (Yahoo)
  // "550 5.7.1 Connections not accepted from servers without a valid sender domain." (AT&T)
  // "550 5.7.606 Access denied, banned sending IP [192.0.2.1]" (Microsoft 365)
  // "554 5.7.1 Rejected - your IP address was found in a blacklist for sending spam." (SpamCop's users)
  {
    name: "we-are-blocked",
    codes: /^5/,
    says: /client (host|\[)|helo command rejected|host network not allowed|connections? (will )?not (be )?accepted from|messages from (ip|\[)|banned sending ip|(sending |sender |your |source )ip( address)?\b|the ip address sending/i,
    kind: "later",
    scope: "destination",
  },
  // "550 5.7.1 Access denied, listed by bl.example" – at the end of a mail such words are about the links in it
  // "554 mx.example cmsmtp [192.0.2.1] is listed on Cloudmark CSI-Global." (Cloudmark)
  // "554 … found on one or more DNSBLs, see http://postmaster.comcast.net/…" (Comcast)
  // "553 5.3.0 DNSBL:RBL 521< 192.0.2.1 >_is_blocked.For assistance forward this error to abuse_rbl@abuse-att.net" (AT&T)
  // "554 Your access to this mail system has been rejected due to the sending MTA's poor reputation." (Cisco)
  {
    name: "we-are-blocked",
    codes: /^5/,
    says: /(block|black)(ed)? ?(list|using|by)|spamhaus|spamcop|barracuda|dns-?bl|poor reputation|listed (by|in|at|on) /i,
    parts: ["hello", "mail", "rcpt"],
    kind: "later",
    scope: "destination",
  },
  { name: "we-are-blocked", codes: /^5/, enhanced: /^5\.7\.25$/, kind: "later", scope: "destination" },

  // "552 Requested mail action aborted: exceeded storage allocation" (RFC 5321 4.2.2), "550 Mailbox full", "user is over quota"
  {
    name: "mailbox-full",
    codes: /^5/,
    says: /over ?quota|quota exceeded|exceeded (its |their )?(storage|quota)|(mail ?box|inbox)[^.]{0,40} full|out of storage/i,
    kind: "failed",
    scope: "recipient",
  },

  // "554 5.5.1 Error: no valid recipients" is what DATA gets when every RCPT was refused; the recipients have their own answer.
  // "554 Transaction failed" or any other 5xx before MAIL: RFC 5321 3.1 and 4.2.4.2 speak of the server, not of our mail.
  { name: "no-service", codes: /^5/, parts: ["hello"], kind: "later", scope: "destination" },
];
