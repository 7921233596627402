import { isIP } from "node:net";
import type { Session } from "../../mail/views.ts";
import { xtext } from "./xtext.ts";

type Who = Omit<Session, "client">;

/** Who really sent it, for the next hop's log (Postfix, XFORWARD_README). */
const UNKNOWN = "[UNAVAILABLE]";
/** Without CRLF (RFC 5321 4.5.3.1.4). */
const LINE_MAX = 510;
const NO_LINES: readonly string[] = [];
const VALUE_MAX = 255;

/**
 * The XFORWARD lines to send before MAIL, without CRLF: only attributes the server lists, as few lines as fit. The
 * server forgets them at the end of each mail, so every mail needs them.
 *
 * @param offered the attributes of the server's EHLO line; none: no lines
 * @param mailId shown in the next hop's log beside its own queue id, when known
 */
export function xforwardLines(offered: readonly string[], session: Who, mailId?: string): readonly string[] {
  if (offered.length === 0) return NO_LINES;
  const lines: string[] = [];
  let line = "";
  for (const name of offered) {
    if (!isKnown(name)) continue;
    const attribute = ` ${name}=${xtext(valueFor(name, session, mailId))}`;
    if (line.length + attribute.length > LINE_MAX) {
      lines.push(line);
      line = "";
    }
    line = (line || "XFORWARD") + attribute;
  }
  if (line) lines.push(line);
  return lines;
}

const ATTRIBUTES = ["NAME", "ADDR", "PORT", "PROTO", "HELO", "IDENT", "SOURCE"] as const;
type Attribute = (typeof ATTRIBUTES)[number];
const isKnown = (name: string): name is Attribute => (ATTRIBUTES as readonly string[]).includes(name);

function valueFor(name: Attribute, session: Who, mailId: string | undefined): string {
  const value = known(name, session, mailId);
  // Controls, blanks and header specials are forbidden after decoding; the server would refuse the whole line.
  return value && value.length <= VALUE_MAX && /^[\w.:[\]@+=/~-]+$/.test(value) ? value : UNKNOWN;
}

function known(name: Attribute, session: Who, mailId: string | undefined): string | undefined {
  switch (name) {
    case "ADDR":
      return addressOf(session.clientIp);
    case "PORT":
      return session.clientPort > 0 ? String(session.clientPort) : undefined;
    case "PROTO":
      return protocolOf(session);
    case "HELO":
      return session.helo;
    case "IDENT":
      return mailId;
    case "SOURCE":
      // LOCAL would let the next hop complete and rewrite header addresses; nothing we relay was written on this host.
      return "REMOTE";
    case "NAME":
      return undefined;
  }
}

function addressOf(ip: string): string | undefined {
  const version = isIP(ip);
  return version === 0 ? undefined : version === 6 ? `IPV6:${ip}` : ip;
}

/** RFC 3848. */
function protocolOf({ door, tls, login }: Who): string | undefined {
  if (door === "http") return "HTTP";
  if (door !== "smtp" && door !== "submission") return undefined;
  return `ESMTP${tls ? "S" : ""}${login ? "A" : ""}`;
}
