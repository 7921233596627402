import { isIP } from "node:net";
import { SMFIA } from "./constants.ts";

/**
 * What stands inside a frame: strings ended by NUL, and the connect information. A payload that breaks its form is
 * undefined here, and the end of the connection one floor up.
 */

/** More strings in one frame than any MTA sends; above it the frame counts as malformed. */
const STRINGS_MAX = 2_000;

/**
 * The strings a payload consists of, each ended by NUL.
 * @param encoding utf8 for what becomes text, latin1 where every byte has to survive
 * @returns undefined: no string at all, too many, or the last one has no end
 */
export function readStrings(payload: Buffer, start = 0, encoding: "utf8" | "latin1" = "utf8"): string[] | undefined {
  const strings: string[] = [];
  let at = start;
  while (at < payload.length) {
    const end = payload.indexOf(0, at);
    if (end < 0 || strings.length === STRINGS_MAX) return undefined;
    strings.push(payload.toString(encoding, at, end));
    at = end + 1;
  }
  return strings.length > 0 ? strings : undefined;
}

/** Who is at the other end of the SMTP session. */
export interface ConnectInfo {
  /** What the MTA calls the host: a name, or the address in brackets. */
  readonly hostname: string;
  /** `unknown`: the MTA cannot tell, for instance mail from its own command line. */
  readonly family: "inet" | "inet6" | "unix" | "unknown";
  /** IP address, or path of the socket; empty for `unknown`. */
  readonly address: string;
  /** 0 when there is none. */
  readonly port: number;
}

const FAMILIES: Readonly<Record<number, "inet" | "inet6" | "unix">> = {
  [SMFIA.INET]: "inet",
  [SMFIA.INET6]: "inet6",
  [SMFIA.UNIX]: "unix",
};

/** Reads SMFIC_CONNECT: hostname, family, and but for `unknown` port and address. undefined: malformed. */
export function readConnect(payload: Buffer): ConnectInfo | undefined {
  const end = payload.indexOf(0);
  if (end < 0 || end + 1 >= payload.length) return undefined;
  const hostname = payload.toString("utf8", 0, end);
  const letter = payload[end + 1];
  if (letter === SMFIA.UNKNOWN) return { hostname, family: "unknown", address: "", port: 0 };
  const family = letter === undefined ? undefined : FAMILIES[letter];
  if (!family || payload.length < end + 5 || payload.indexOf(0, end + 4) !== payload.length - 1) return undefined;
  const port = payload.readUInt16BE(end + 2);
  const address = plainAddress(payload.toString("utf8", end + 4, payload.length - 1), family);
  return address === undefined ? undefined : { hostname, family, address, port };
}

/** Sendmail writes IPv6 addresses as "IPv6:…", and either may stand in brackets. */
function plainAddress(text: string, family: "inet" | "inet6" | "unix"): string | undefined {
  if (family === "unix") return text;
  const bare = text.replace(/^\[(.*)\]$/s, "$1").replace(/^IPv6:/i, "");
  const version = isIP(bare);
  if (family === "inet") return version === 4 ? bare : undefined;
  return version === 0 ? undefined : bare;
}

/**
 * The value of a header as it stands in the mail after the colon: CRLF before continuation lines (MTAs send a bare LF),
 * and the blank that an MTA without SMFIP_HDR_LEADSPC has eaten.
 */
export function headerValue(sent: string, leadingSpaceSent: boolean): string {
  const folded = sent.includes("\n") ? sent.replace(/\r?\n/g, "\r\n") : sent;
  return leadingSpaceSent ? folded : ` ${folded}`;
}
