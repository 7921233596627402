import { withoutComments } from "./comments.ts";
import type { Recipient, Session } from "./views.ts";

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const two = (n: number): string => String(n).padStart(2, "0");

let written = { second: -1, text: "" };

/** RFC 5322 3.3 date-time, always UTC. */
export function mailDate(ms: number): string {
  const second = Math.floor(ms / 1000);
  if (written.second !== second) written = { second, text: writeDate(ms) };
  return written.text;
}

function writeDate(ms: number): string {
  const date = new Date(ms);
  const day = `${DAYS[date.getUTCDay()]}, ${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()}`;
  return `${day} ${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())} +0000`;
}

/**
 * The moment a date-time names, ms since the epoch (RFC 5322 3.3, 4.3, and what programs really write). Letters that name no
 * known zone count as UTC, as RFC 5322 4.3 says. undefined: no date with a time of day.
 */
export function readMailDate(value: string): number | undefined {
  const text = withoutComments(value).trim();
  if (!/\d:\d/.test(text)) return undefined;
  const known = Date.parse(text);
  const at = Number.isNaN(known) ? Date.parse(text.replace(/ [A-Za-z]{1,5}$/, " +0000")) : known;
  return Number.isNaN(at) ? undefined : at;
}

const literal = (ip: string): string => (ip.includes(":") ? `[IPv6:${ip}]` : `[${ip}]`);

/** HELO is the client's own text: only what a host name may hold goes into a header. */
const harmless = (text: string): string => text.slice(0, 255).replace(/[^A-Za-z0-9.\-_:[\]]/g, "?");

export interface Passage {
  readonly session: Session;
  readonly hostname: string;
  readonly mailId: string;
  readonly atMs: number;
  readonly recipients: readonly Recipient[];
  readonly smtpUtf8: boolean;
}

/** "ESMTPSA" and its kin (RFC 3848, RFC 6531). */
function protocolOf({ session, smtpUtf8 }: Passage): string {
  const secured = `${session.tls ? "S" : ""}${session.login ? "A" : ""}`;
  return `${smtpUtf8 ? "UTF8SMTP" : "ESMTP"}${secured}`;
}

/**
 * Our trace line (RFC 5321 4.4). The recipient is named only when there is one, so that nobody learns of the others; the
 * login is never named.
 */
export function receivedLine(passage: Passage): Buffer {
  const { session, hostname, mailId, atMs, recipients } = passage;
  const only = recipients.length === 1 ? recipients[0]?.address.text : undefined;
  const lines = [
    `Received: from ${harmless(session.helo ?? "unknown")} (${literal(session.clientIp)})`,
    `\tby ${hostname} (consentry) with ${protocolOf(passage)} id ${mailId}`,
  ];
  if (only !== undefined) lines.push(`\tfor <${only}>`);
  return Buffer.from(`${lines.join("\r\n")};\r\n\t${mailDate(atMs)}\r\n`);
}

/** What one Received field says, as far as it can be read (RFC 5321 4.4 and what servers really write). */
export interface Hop {
  /** The server it names, lower case without the root's dot; more than one where a line is made to be read in two ways. */
  readonly by: readonly string[];
  readonly id?: string;
  readonly atMs?: number;
}

/** @param value unfolded value of a Received field */
export function parseReceived(value: string): Hop {
  const clauses = withoutComments(value);
  const by = [...clauses.matchAll(/(?:^|\s)by(?=\s+([^\s;]+))/gi)].map((match) => hostOf(match[1] ?? ""));
  const id = /(?:^|\s)id\s+<?([^\s;>]+)/i.exec(clauses)?.[1];
  const atMs = readMailDate(clauses.slice(clauses.lastIndexOf(";") + 1));
  return { by, ...(id && { id }), ...(atMs !== undefined && { atMs }) };
}

const hostOf = (text: string): string => text.toLowerCase().replace(/\.$/, "");
