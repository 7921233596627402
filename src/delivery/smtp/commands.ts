import { domainToASCII } from "node:url";
import type { Address } from "../../mail/address.ts";
import type { Reply } from "../../mail/replies.ts";
import type { Recipient, Sender } from "../../mail/views.ts";
import type { Extensions } from "./extensions.ts";
import { orcptText, xtext } from "./xtext.ts";

/**
 * Writes MAIL and RCPT for one server. What it cannot carry (RFC 6531 addresses, RFC 8689 promises) becomes the reply our
 * own client hears instead of a command.
 */
const refusal = (code: number, enhanced: string, line: string): Reply => ({ code, enhanced, lines: [line] });

const NO_UTF8 = refusal(550, "5.6.7", "the next server takes no internationalized mail (SMTPUTF8)");
const NO_UTF8_ADDRESS = refusal(553, "5.6.7", "an address that is not ASCII needs SMTPUTF8");
const NO_REQUIRETLS = refusal(550, "5.7.30", "the next server does not offer REQUIRETLS");

/** What a server is to us when it comes to MAIL and RCPT. */
export interface Peer {
  readonly extensions: Extensions;
  /** TLS with a certificate that was checked. */
  readonly isVerified: boolean;
}

/** "MAIL FROM:<…> …" without CRLF, or why this server cannot have the mail. */
export function mailCommand(sender: Sender, { extensions, isVerified }: Peer): string | Reply {
  if (sender.smtpUtf8 && !extensions.smtpUtf8) return NO_UTF8;
  if (sender.requireTls && !(extensions.requireTls && isVerified)) return NO_REQUIRETLS;
  const path = sender.address ? pathOf(sender.address, sender.smtpUtf8) : "";
  if (path === undefined) return NO_UTF8_ADDRESS;
  let line = `MAIL FROM:<${path}>`;
  if (extensions.size && sender.sizeBytes !== undefined) line += ` SIZE=${sender.sizeBytes}`;
  if (extensions.eightBit && sender.eightBit) line += " BODY=8BITMIME";
  if (sender.smtpUtf8) line += " SMTPUTF8";
  if (sender.requireTls) line += " REQUIRETLS";
  if (extensions.dsn && sender.ret) line += ` RET=${sender.ret}`;
  if (extensions.dsn && sender.envid !== undefined) line += ` ENVID=${xtext(sender.envid)}`;
  return oneLine(line);
}

/** "RCPT TO:<…> …" without CRLF, or why this recipient cannot be asked for. */
export function rcptCommand(recipient: Recipient, sender: Sender, extensions: Extensions): string | Reply {
  const path = pathOf(recipient.address, sender.smtpUtf8);
  if (path === undefined) return NO_UTF8_ADDRESS;
  let line = `RCPT TO:<${path}>`;
  if (extensions.dsn && recipient.notify?.length) line += ` NOTIFY=${recipient.notify.join(",")}`;
  if (extensions.dsn && recipient.orcpt !== undefined) line += ` ORCPT=${orcptText(recipient.orcpt)}`;
  return oneLine(line);
}

/** Without SMTPUTF8 a U-label goes out as the A-label it stands for; a local part has no such form. */
function pathOf({ text }: Address, smtpUtf8: boolean): string | undefined {
  if (smtpUtf8 || isAscii(text)) return text;
  const at = text.lastIndexOf("@") + 1;
  const domain = domainToASCII(text.slice(at));
  return at > 0 && domain && isAscii(text.slice(0, at)) ? text.slice(0, at) + domain : undefined;
}

const isAscii = (text: string): boolean => /^[\x20-\x7e]*$/.test(text);

/** The doors let no such character in; if one comes here all the same, no second command may grow out of it. */
function oneLine(line: string): string {
  if (/[\r\n\0]/.test(line)) throw new TypeError("a line break inside an SMTP command");
  return line;
}
