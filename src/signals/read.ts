/** A mail as the signals want it: decoded Subject, visible text, and whose names to leave out. */
import type { Headers } from "../mail/headers.ts";
import { decodedSubject } from "../mail/subject.ts";
import { readText } from "../mail/text.ts";
import { cleanText } from "../mail/text-clean.ts";
import type { ReadMail } from "./features.ts";

/** Recipients whose names are left out, and characters of a header in which they are looked for. */
const OWN_MAX = 10;
const OWN_CHARS_MAX = 4_000;

/**
 * @param bytes the whole mail, header block included; at most TEXT_LIMITS.mailBytesMax of it are looked at
 * @param recipients local parts of the envelope's recipients, where they are known; else To and Cc are asked
 */
export function readMail(headers: Headers, bytes: Buffer, recipients?: readonly string[]): ReadMail {
  const subject = cleanText(decodedSubject(headers));
  const text = readText(bytes);
  return {
    subject: subject.text,
    text: {
      ...text,
      zeroWidth: text.zeroWidth + subject.zeroWidth,
      lookAlikes: text.lookAlikes + subject.lookAlikes,
    },
    own: (recipients ?? namedRecipients(headers)).slice(0, OWN_MAX),
  };
}

function namedRecipients(headers: Headers): string[] {
  const named = [...headers.all("to"), ...headers.all("cc")].join(" ").slice(0, OWN_CHARS_MAX);
  return [...named.matchAll(/([\w.+-]{1,64})@/g)].map((match) => (match[1] ?? "").toLowerCase());
}
