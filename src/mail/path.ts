import { domainToASCII } from "node:url";
import { canonicalIp } from "../kit/ip.ts";
import type { Address } from "./address.ts";

/** Longest path without its angle brackets, octets (RFC 5321 4.5.3.1.3). */
const PATH_BYTES_MAX = 254;

/** A forward- or reverse-path: what stood between the angle brackets. */
export interface Path {
  /** null: the empty path `<>`. */
  readonly address: Address | null;
  /** "@a,@b" when there was a source route; obsolete, and a way to hide a destination (RFC 5321 appendix C). */
  readonly sourceRoute?: string;
}

/** A command's path and its ESMTP parameters, e.g. `<a@b> SIZE=1 BODY=8BITMIME`. Keys in upper case. */
export interface PathWithParams {
  readonly path: Path;
  readonly params: ReadonlyMap<string, string | true>;
}

const DOT_ATOM = /^[\p{L}\p{M}\p{N}!#$%&'*+\-/=?^_`{|}~.]+$/u;
const PLAIN =
  /^[a-zA-Z0-9!#$&'*+\-=?^_`{}~.]+@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)+$/;
const CONTROLS = /[\x00-\x1f\x7f-\x9f\u200b\u2060\ufeff]/;

/** Parses `local@domain` (RFC 5321 4.1.2, RFC 6531 3.3), quoted local parts and address literals included. */
export function parseAddress(text: string): Address | undefined {
  if (text.length > PATH_BYTES_MAX) return undefined;
  if (PLAIN.test(text) && !text.includes("xn--") && !text.includes("XN--")) return plainAddress(text);
  if (CONTROLS.test(text)) return undefined;
  const quoted = text.startsWith('"') ? /^"((?:[^"\\]|\\.)*)"@(.+)$/su.exec(text) : undefined;
  const at = text.indexOf("@");
  if (!quoted && (at <= 0 || at !== text.lastIndexOf("@") || text.startsWith('"'))) return undefined;
  const local = quoted ? (quoted[1] ?? "").replace(/\\(.)/gsu, "$1") : text.slice(0, at);
  if (!quoted && !DOT_ATOM.test(local)) return undefined;
  const domain = parseDomain(quoted ? (quoted[2] ?? "") : text.slice(at + 1));
  return domain === undefined ? undefined : makeAddress(local, domain);
}

/** What nearly every address is: ASCII, unquoted, a domain name. */
function plainAddress(text: string): Address {
  const at = text.indexOf("@");
  const local = text.slice(0, at);
  const domain = text.slice(at + 1).toLowerCase();
  return { local, domain, text: `${local}@${domain}`, key: text.toLowerCase() };
}

function makeAddress(local: string, domain: string): Address {
  const written = DOT_ATOM.test(local) ? local : `"${local.replace(/["\\]/g, "\\$&")}"`;
  const text = domain ? `${written}@${domain}` : written;
  return { local, domain, text, key: text.toLowerCase() };
}

/** Lower case A-labels, or a canonical address literal. undefined: neither. */
export function parseDomain(text: string): string | undefined {
  if (text.startsWith("[")) return parseLiteral(text);
  const ascii = /^[\x21-\x7e]+$/.test(text) && !/xn--/i.test(text) ? text.toLowerCase() : toAscii(text);
  const labels = ascii.split(".");
  const fine = labels.every((label) => /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label));
  return fine && ascii.length <= 253 ? ascii : undefined;
}

/** domainToASCII reads like a browser: it would cut at "/", "?" and "#" and undo "%61". */
const toAscii = (text: string): string => (/[\x00-\x2c\x2f\x3a-\x40[-^`{-\x7f]/.test(text) ? "" : domainToASCII(text));

function parseLiteral(text: string): string | undefined {
  const match = /^\[(IPv6:)?([0-9a-f:.]+)\]$/i.exec(text);
  const ip = match && canonicalIp(match[2] ?? "");
  if (!ip || Boolean(match[1]) !== (match[2] ?? "").includes(":")) return undefined;
  return match[1] ? `[IPv6:${ip}]` : `[${ip}]`;
}

/** Parses `<path> PARAM=value …` as MAIL and RCPT carry it. `postmaster` alone is a path (RFC 5321 4.1.1.3). */
export function parsePathWithParams(text: string): PathWithParams | undefined {
  const end = closingBracket(text);
  if (end === undefined) return undefined;
  const path = parsePath(text.slice(1, end));
  const params = path && parseParams(text.slice(end + 1));
  return path && params ? { path, params } : undefined;
}

/** Where the path that opens at 0 closes; a bracket inside quotes does not. */
function closingBracket(text: string): number | undefined {
  const match = /^<(?:"(?:[^"\\]|\\.)*"|[^"<>])*>/su.exec(text);
  return match ? match[0].length - 1 : undefined;
}

function parsePath(inner: string): Path | undefined {
  if (inner === "") return { address: null };
  const route = /^(@[^\s,:@"]+(?:,@[^\s,:@"]+)*):(.+)$/s.exec(inner);
  const mailbox = route?.[2] ?? inner;
  const address = mailbox.toLowerCase() === "postmaster" ? makeAddress(mailbox, "") : parseAddress(mailbox);
  if (!address) return undefined;
  return route?.[1] ? { address, sourceRoute: route[1] } : { address };
}

/** @returns undefined for a parameter given twice, a control character, or rubbish before the first blank */
function parseParams(text: string): Map<string, string | true> | undefined {
  const params = new Map<string, string | true>();
  if (text !== "" && !/^\s/.test(text)) return undefined;
  for (const part of text.trim().split(/\s+/)) {
    if (part === "") continue;
    const [key = "", ...rest] = part.split("=");
    const name = key.toUpperCase();
    if (!/^[A-Z0-9][A-Z0-9-]*$/.test(name) || params.has(name)) return undefined;
    params.set(name, rest.length > 0 ? rest.join("=") : true);
  }
  return params;
}

/** Decodes xtext (RFC 3461 4). undefined: not xtext, or it hides a control character. */
export function decodeXtext(text: string): string | undefined {
  if (!/^(?:[\x21-\x2a\x2c-\x3c\x3e-\x7e]|\+[0-9A-F]{2})*$/.test(text)) return undefined;
  const decoded = text.replace(/\+([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return CONTROLS.test(decoded) ? undefined : decoded;
}
