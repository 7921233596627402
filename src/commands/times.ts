import { Misuse } from "../kit/trouble.ts";

const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};
export const DAY_MS = 86_400_000;

const ISO = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?)(Z|[+-]\d{2}:?\d{2})?)?$/i;

export interface Instant {
  readonly ms: number;
  /** Only a day was given: `ms` is its beginning, UTC. */
  readonly day: boolean;
}

/** Reads "2026-11-22", "2026-11-22T10:30" or "2026-11-22T10:30:15+07:00"; without a zone it is UTC. */
export function parseInstant(text: string): Instant | undefined {
  const match = ISO.exec(text);
  if (!match) return undefined;
  const [, date = "", time, zone = "Z"] = match;
  const day = Date.parse(`${date}T00:00Z`);
  // A day that does not exist, such as 30 February, is read as another one.
  if (Number.isNaN(day) || !new Date(day).toISOString().startsWith(date)) return undefined;
  const ms = time === undefined ? day : Date.parse(`${date}T${time}${zone.toUpperCase()}`);
  return Number.isNaN(ms) ? undefined : { ms, day: time === undefined };
}

/**
 * Reads a time of a command line: ISO, or how long ago: 90s, 30m, 2h, 3d, 1w.
 *
 * @param option its name, for the complaint
 * @throws Misuse
 */
export function parseMoment(text: string, option: string, nowMs: number): Instant {
  const ago = /^(\d{1,6})([smhdw])$/.exec(text);
  const unitMs = UNIT_MS[ago?.[2] ?? ""];
  if (ago && unitMs !== undefined) return { ms: Math.max(0, nowMs - Number(ago[1]) * unitMs), day: false };
  const instant = parseInstant(text);
  if (instant) return instant;
  throw new Misuse(`--${option} "${text}": expected a time such as 2026-11-22, 2026-11-22T10:30Z, 2h or 3d`);
}

/**
 * When something ends: an instant, or so long from now.
 * @throws Misuse for both at once, for what is neither, and for a moment that is over
 */
export function parseEnd(
  given: { readonly for?: string | undefined; readonly until?: string | undefined },
  otherwise: string,
  nowMs: number,
): number {
  const { for: span, until } = given;
  if (span !== undefined && until !== undefined) throw new Misuse("--for and --until are two ways to say the same");
  const endMs = until === undefined ? nowMs + parseSpan(span ?? otherwise) : parseInstant(until)?.ms;
  if (endMs === undefined) throw new Misuse(`--until "${until}": expected a time such as 2026-11-22T10:30Z`);
  if (endMs <= nowMs) throw new Misuse(`--until "${until}" is over`);
  return endMs;
}

function parseSpan(text: string): number {
  const match = /^(\d{1,6})([smhdw])$/.exec(text);
  const ms = Number(match?.[1]) * (UNIT_MS[match?.[2] ?? ""] ?? Number.NaN);
  if (ms > 0) return ms;
  throw new Misuse(`--for "${text}": expected a time such as 90s, 30m, 2h, 3d or 1w`);
}
