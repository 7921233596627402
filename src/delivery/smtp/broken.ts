import { Unavailable } from "../../kit/trouble.ts";
import type { ServerReply } from "./replies-in.ts";

/**
 * How a talk with a server ended before its time. `said`: by the server's own words, a 421 or a
 * greeting that is none; `ours`: by us, because of what was agreed.
 */
export type How = "timeout" | "refused" | "unreachable" | "closed" | "garbled" | "tls" | "said" | "ours";

/** A talk that broke, with what whoever sorts it needs to know: where, how, and what the server had said. */
export class Broken extends Unavailable {
  /** "connecting", "greeting", "EHLO", "TLS handshake", "MAIL", "RCPT", "DATA", "end of the mail" … */
  readonly step: string;
  readonly how: How;
  /** The reply that ended it. */
  readonly said: ServerReply | undefined;
  /** Replies of the same wait that came before it broke. */
  readonly heard: readonly ServerReply[];

  constructor(where: { name: string; step: string }, how: How, about: About) {
    super("next-hop", `${where.name}: ${where.step}: ${about.what}`, about.cause);
    this.step = where.step;
    this.how = how;
    this.said = about.said;
    this.heard = about.heard ?? [];
  }
}

interface About {
  /** For operators; holds no text of the server, which may hold addresses. */
  readonly what: string;
  readonly cause?: unknown;
  readonly said?: ServerReply;
  readonly heard?: readonly ServerReply[];
}

const REFUSED: readonly unknown[] = ["ECONNREFUSED"];
const UNREACHABLE: readonly unknown[] = [
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ETIMEDOUT",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EADDRNOTAVAIL",
  "EHOSTDOWN",
  "ENOENT",
];

/** @param code of the system, or of TLS */
export function howOf(code: string | undefined, step: string): How {
  if (step === "TLS handshake") return "tls";
  if (REFUSED.includes(code)) return "refused";
  return UNREACHABLE.includes(code) ? "unreachable" : "closed";
}
