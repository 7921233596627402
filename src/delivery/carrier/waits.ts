import type { Left } from "../smtp/greet.ts";

/** How long each step may take, ms (RFC 5321 4.5.3.2), and all of an attempt together. */
export interface Waits {
  readonly connectMs: number;
  readonly greetingMs: number;
  /** EHLO, HELO, STARTTLS and AUTH. */
  readonly helloMs: number;
  readonly tlsMs: number;
  readonly mailMs: number;
  readonly rcptMs: number;
  readonly dataMs: number;
  /** One piece of the mail. */
  readonly blockMs: number;
  /** What the server says to the whole mail. */
  readonly endMs: number;
  /** All hosts and all steps of one attempt. */
  readonly attemptMs: number;
}

const KEYS: Readonly<Record<string, keyof Waits>> = {
  connecting: "connectMs",
  greeting: "greetingMs",
  "TLS handshake": "tlsMs",
  MAIL: "mailMs",
  RCPT: "rcptMs",
  DATA: "dataMs",
  "sending the mail": "blockMs",
  "end of the mail": "endMs",
};

/** The time a step has: its own, or what is left of the attempt. */
export function waitsOf(waits: Waits): Left {
  const endAt = performance.now() + waits.attemptMs;
  return (step = "") => Math.max(1, Math.min(waits[KEYS[step] ?? "helloMs"], endAt - performance.now()));
}
