import { z } from "zod";
import type { Headers } from "../../mail/headers.ts";
import { mailboxesIn } from "../../mail/mailboxes.ts";
import { readMailDate } from "../../mail/received.ts";
import { defineRule, type Finding, note, PASS, reject } from "../define.ts";

/** Fields that may stand once (RFC 5322 3.6). */
const ONCE = ["sender", "reply-to", "to", "cc", "bcc", "message-id", "in-reply-to", "references", "subject"];
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export const headerShape = defineRule({
  id: "envelope/header-shape",
  title: "One From, one Date, nothing twice",
  why: "Two From headers show one author to the filter and another to the reader; a Date far from today hides when a mail was\nsent. RFC 5322 wants exactly one of each, and the law wants the envelope information true.",
  sources: [
    { cite: "Order 38 (CN 2006) art. 13(1)", confidence: "C5" },
    { cite: "RFC 5322 3.6", confidence: "RFC" },
  ],
  falseAlarms: [
    "Scripts and devices that write no Date",
    "Old mail that is sent again from an archive: raise datePastDaysMax",
  ],
  options: z.strictObject({
    dateFutureHoursMax: z.number().positive().default(48).describe("how far ahead of our clock Date may be, hours"),
    datePastDaysMax: z.number().min(0).default(3650).describe("how old Date may be, days; 0: any age"),
  }),
  looks: {
    header({ headers }, { options, clock }) {
      return (
        wrongFrom(headers) ?? written(headers, ONCE) ?? wrongDate(headers, clock.now(), options) ?? oddities(headers)
      );
    },
  },
});

function wrongFrom(headers: Headers): Finding | undefined {
  const [from, ...more] = mailboxesIn(headers, "from");
  if (!from || more.length > 0) return reject("from-missing", { evidence: { fields: headers.count("from") } });
  const { addresses, obscured } = from;
  return addresses.length === 0 || obscured
    ? reject("from-missing", { evidence: { addresses: addresses.length, obscured } })
    : undefined;
}

function written(headers: Headers, names: readonly string[]): Finding | undefined {
  const twice = names.find((name) => headers.count(name) > 1);
  return twice === undefined
    ? undefined
    : reject("header-twice", { detail: `${twice} once`, evidence: { header: twice } });
}

function wrongDate(
  headers: Headers,
  nowMs: number,
  bounds: { dateFutureHoursMax: number; datePastDaysMax: number },
): Finding | undefined {
  const dates = headers.all("date");
  if (dates.length !== 1) return reject("date-insane", { evidence: { fields: dates.length } });
  const at = readMailDate(dates[0] ?? "");
  if (at === undefined) return reject("date-insane", { evidence: { readable: false } });
  const aheadHours = Math.round((at - nowMs) / HOUR_MS);
  const tooOld = bounds.datePastDaysMax > 0 && nowMs - at > bounds.datePastDaysMax * DAY_MS;
  return aheadHours > bounds.dateFutureHoursMax || tooOld
    ? reject("date-insane", { evidence: { aheadHours } })
    : undefined;
}

const oddities = (headers: Headers): Finding =>
  headers.malformed > 0
    ? note("lines in the header block that are no header", { evidence: { lines: headers.malformed } })
    : PASS;
