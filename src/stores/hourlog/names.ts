/**
 * Names of the hour files: "2026-11-22T07.<run>.jsonl", one for each hour and each process that wrote in it. A name sorts by
 * time, and two processes never write one file.
 */
const HOUR_MS = 3_600_000;
const FORM = /^(\d{4}-\d{2}-\d{2}T\d{2})\.[0-9a-z-]+\.jsonl$/;

let latest = { startMs: Number.NaN, hour: "" };

/** The hour a moment lies in, UTC: "2026-11-22T07". Asked for each entry, and nearly always the same. */
export function hourOf(ms: number): string {
  const startMs = ms - (ms % HOUR_MS);
  if (startMs !== latest.startMs) latest = { startMs, hour: new Date(ms).toISOString().slice(0, 13) };
  return latest.hour;
}

/** The first millisecond of an hour, and the first after it. */
export function spanOf(hour: string): { startMs: number; endMs: number } {
  const startMs = Date.parse(`${hour}:00:00Z`);
  return { startMs, endMs: startMs + HOUR_MS };
}

export const fileName = (hour: string, run: string): string => `${hour}.${run}.jsonl`;

/** undefined: no hour file. */
export const hourOfFile = (name: string): string | undefined => FORM.exec(name)?.[1];
