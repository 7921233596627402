/**
 * Hours of the day in a time zone, as people write them: "09:00-18:00 Asia/Ho_Chi_Minh", "22:00-06:00 UTC", "08:30-12:00 Asia/Shanghai
 * mon-fri". From is inside, until is not; where until is not after from, the span goes over midnight and belongs to the day it begins on.
 */
const DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] as const;
const DAY_MINUTES = 24 * 60;
const STEP_MS = 15 * 60_000;
const WEEK_MS = 7 * 24 * 3_600_000;

export interface Hours {
  /** As it was written, in one spelling. */
  readonly text: string;
  /** Is the moment inside? */
  has(atMs: number): boolean;
  /** When they next begin, to a quarter of an hour; the moment itself when it is inside. */
  opensAtMs(atMs: number): number;
}

const FORM = /^([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|24:00) (\S{1,50})(?: ([a-z,-]{3,27}))?$/i;
const known = new Map<string, Hours | undefined>();
const KNOWN_MAX = 1_000;

/** undefined: it cannot be read as hours. Remembered, because the same few are asked for with every mail. */
export function parseHours(text: string): Hours | undefined {
  if (known.has(text)) return known.get(text);
  if (known.size >= KNOWN_MAX) known.clear();
  const hours = readHours(text);
  known.set(text, hours);
  return hours;
}

function readHours(text: string): Hours | undefined {
  const match = FORM.exec(text.trim());
  if (!match) return undefined;
  const [, fromHour = "", fromMinute = "", untilHour, untilMinute = "00", zone = "", daysText] = match;
  const from = Number(fromHour) * 60 + Number(fromMinute);
  const until = untilHour === undefined ? DAY_MINUTES : Number(untilHour) * 60 + Number(untilMinute);
  const days = daysText === undefined ? undefined : readDays(daysText.toLowerCase());
  const clock = zoneClock(zone);
  if (!clock || (daysText !== undefined && !days) || from === until) return undefined;
  const has = eachMinute((atMs) => {
    const { day, minute } = clock.at(atMs);
    if (from < until) return minute >= from && minute < until && isDay(days, day);
    return (minute >= from && isDay(days, day)) || (minute < until && isDay(days, (day + 6) % 7));
  });
  return {
    text: `${text.trim().split(" ")[0]} ${zone}${daysText ? ` ${daysText.toLowerCase()}` : ""}`,
    has,
    opensAtMs: (atMs) => opens(has, atMs),
  };
}

const MINUTE_MS = 60_000;

/** The same for a whole minute: many mails ask within one. */
function eachMinute(has: (atMs: number) => boolean): (atMs: number) => boolean {
  let latest: { readonly minute: number; readonly inside: boolean } | undefined;
  return (atMs) => {
    const minute = Math.floor(atMs / MINUTE_MS);
    if (latest?.minute !== minute) latest = { minute, inside: has(atMs) };
    return latest.inside;
  };
}

const isDay = (days: ReadonlySet<number> | undefined, day: number): boolean => days?.has(day) ?? true;

/** Quarters of an hour: time zones and their changes keep to them. */
function opens(has: (atMs: number) => boolean, atMs: number): number {
  if (has(atMs)) return atMs;
  for (let at = Math.ceil(atMs / STEP_MS) * STEP_MS; at <= atMs + WEEK_MS + STEP_MS; at += STEP_MS)
    if (has(at)) return at;
  return atMs + WEEK_MS;
}

/** "mon-fri", "mon,wed", "sat". */
function readDays(text: string): ReadonlySet<number> | undefined {
  const days = new Set<number>();
  for (const part of text.split(",")) {
    const [first = "", last = first, ...more] = part.split("-");
    const [from, to] = [first, last].map((name) => DAYS.indexOf(name as (typeof DAYS)[number]));
    if (from === undefined || to === undefined || from < 0 || to < 0 || more.length > 0) return undefined;
    for (let day = from; ; day = (day + 1) % 7) {
      days.add(day);
      if (day === to) break;
    }
  }
  return days;
}

/** Day of the week and minute of the day in a zone; undefined: there is no such zone. */
function zoneClock(zone: string) {
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      weekday: "short",
      hour: "2-digit",
      minute: "2-digit",
      hourCycle: "h23",
    });
  } catch {
    return undefined;
  }
  return {
    at(atMs: number): { day: number; minute: number } {
      const part = Object.fromEntries(format.formatToParts(atMs).map(({ type, value }) => [type, value]));
      const day = DAYS.indexOf((part.weekday ?? "").toLowerCase() as (typeof DAYS)[number]);
      return { day, minute: Number(part.hour) * 60 + Number(part.minute) };
    },
  };
}
