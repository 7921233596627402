/**
 * MAIL and RCPT as a milter hears them: the path in the client's own words, then the ESMTP parameters one by one. The MTA has
 * read them too and may be laxer; what we cannot read is refused, so that we never judge another address than it delivers to.
 */
import { decodeXtext, type PathWithParams, parsePathWithParams } from "../../mail/path.ts";
import { type Reply, writeReply } from "../../mail/replies.ts";
import type { Recipient, Sender } from "../../mail/views.ts";

const bad = (code: number, enhanced: string, line: string): Reply => ({ code, enhanced, lines: [line] });
const BAD_SENDER = bad(501, "5.1.7", "the sender address cannot be read");
/** An MTA that goes on after every recipient was refused has nobody to deliver to (RFC 5321 3.3). */
export const NO_RECIPIENTS = bad(554, "5.5.1", "no valid recipients");
const BAD_RECIPIENT = bad(501, "5.1.3", "the recipient address cannot be read");
const BAD_PARAMETER = bad(501, "5.5.4", "a parameter cannot be read");
const NEEDS_UTF8 = bad(553, "5.6.7", "non-ASCII address without SMTPUTF8");

const isAscii = (text: string): boolean => !/[^\x00-\x7f]/.test(text);

/** MTAs that are not strict take a path without its brackets; anything odder than that has to be readable as it stands. */
function read([path = "", ...params]: readonly string[]): PathWithParams | undefined {
  const bracketed = /[<>]/.test(path) ? path : `<${path}>`;
  return parsePathWithParams([bracketed, ...params].join(" "));
}

/** Upper-cased value of a parameter that is a keyword. */
function keyword({ params }: PathWithParams, name: string): string | undefined {
  const value = params.get(name);
  return typeof value === "string" ? value.toUpperCase() : undefined;
}

/** An xtext parameter (RFC 3461 4): its text, undefined when there is none, false when it is broken. */
function xtext({ params }: PathWithParams, name: string): string | undefined | false {
  const value = params.get(name);
  return typeof value === "string" ? (decodeXtext(value) ?? false) : undefined;
}

/** @param args as `MilterHandler.mail` has them. @returns the sender, or the refusal */
export function readSender(args: readonly string[], { mailBytesMax }: { mailBytesMax: number }): Sender | Reply {
  const command = read(args);
  if (!command) return BAD_SENDER;
  const { path, params } = command;
  const smtpUtf8 = params.has("SMTPUTF8");
  if (!smtpUtf8 && !isAscii(args[0] ?? "")) return NEEDS_UTF8;
  const sizeBytes = Number(params.get("SIZE") ?? 0);
  if (!Number.isSafeInteger(sizeBytes)) return BAD_PARAMETER;
  if (sizeBytes > mailBytesMax) return writeReply("mail-too-large", { detail: `${mailBytesMax} bytes` });
  const ret = keyword(command, "RET");
  const envid = xtext(command, "ENVID");
  if (envid === false) return BAD_PARAMETER;
  return {
    address: path.address,
    eightBit: keyword(command, "BODY") === "8BITMIME",
    smtpUtf8,
    requireTls: params.has("REQUIRETLS"),
    ...(sizeBytes > 0 && { sizeBytes }),
    ...((ret === "FULL" || ret === "HDRS") && { ret }),
    ...(envid && { envid }),
  };
}

/** @param args as `MilterHandler.rcpt` has them. @returns the recipient, or the refusal */
export function readRecipient(args: readonly string[], { smtpUtf8 }: Pick<Sender, "smtpUtf8">): Recipient | Reply {
  const command = read(args);
  if (!command?.path.address) return BAD_RECIPIENT;
  if (!smtpUtf8 && !isAscii(args[0] ?? "")) return NEEDS_UTF8;
  const { address, sourceRoute } = command.path;
  const notify = keyword(command, "NOTIFY")?.split(",");
  const orcpt = xtext(command, "ORCPT");
  if (orcpt === false) return BAD_PARAMETER;
  return {
    address,
    ...(notify && { notify }),
    ...(orcpt && { orcpt }),
    ...(sourceRoute !== undefined && { sourceRoute }),
  };
}
