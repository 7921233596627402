import { z } from "zod";
import { startOfContent } from "../../mail/content-start.ts";
import { decodedSubject } from "../../mail/subject.ts";
import { type MailText, readText, TEXT_LIMITS } from "../../mail/text.ts";
import { cleanText } from "../../mail/text-clean.ts";
import type { BodyView } from "../../mail/views.ts";
import { defineRule, type Finding, hold, note, PASS, skip } from "../define.ts";
import { createMatcher, type Matcher, patternTrouble, STEPS_MAX, stepsOf } from "./patterns.ts";

const PLACES = ["subject", "text", "links"] as const;
type Place = (typeof PLACES)[number];

const entry = z.strictObject({
  name: z
    .string()
    .regex(/^[\x20-\x7e]{1,60}$/, "1 to 60 ASCII characters: it is written down instead of what was found")
    .describe("what the ledger calls it"),
  pattern: z
    .string()
    .min(1)
    .max(1_000)
    .superRefine((pattern, context) => {
      const trouble = patternTrouble(pattern);
      if (trouble !== undefined) context.addIssue({ code: "custom", message: `a pattern in RE2 syntax: ${trouble}` });
    })
    .describe("RE2 syntax; capitals and small letters are the same"),
  in: z
    .array(z.enum(PLACES))
    .min(1)
    .default([...PLACES])
    .describe("where it is looked for"),
  authority: z.string().max(200).optional().describe("to whom such mail is reported, instead of the rule's authority"),
});
type Entry = z.infer<typeof entry>;

const options = z.strictObject({
  patterns: z
    .array(entry)
    .max(500)
    .default([])
    .superRefine((list, context) => {
      if (list.some(({ pattern }) => patternTrouble(pattern) !== undefined)) return;
      const steps = list.length === 0 ? 0 : stepsOf(list.map(({ pattern }) => pattern));
      if (steps <= STEPS_MAX) return;
      const message = `patterns of at most ${STEPS_MAX} steps together, these take ${steps}: shorten counted repetitions`;
      context.addIssue({ code: "custom", message });
    })
    .describe("the list"),
  route: z.enum(["hold", "note"]).default("hold").describe("what becomes of a mail in which one is found"),
  authority: z.string().max(200).default("").describe("to whom such mail is reported: written beside each finding"),
});
type Options = z.infer<typeof options>;

export const prohibited = defineRule({
  id: "content/prohibited",
  title: "Contents on the operator's list of what is prohibited are held",
  why: "What a law bans from mail, an operator names in a list of patterns; mail with one of them is held for a person to look at\nand to report to the authority named. The list is empty until it is filled. What was found is never written down.",
  sources: [
    { cite: "Order 38 (CN 2006) art. 11", confidence: "doc" },
    { cite: "Order 38 (CN 2006) art. 16", confidence: "doc" },
  ],
  falseAlarms: [
    "News, reports and complaints that quote what they are about",
    "A pattern that is a part of other words",
  ],
  options,
  looks: {
    body(view, { options }) {
      if (options.patterns.length === 0) return skip("no patterns");
      const bytes = startOfContent(view.content, TEXT_LIMITS.mailBytesMax);
      return bytes instanceof Promise
        ? bytes.then((read) => search(view, read, options))
        : search(view, bytes, options);
    },
  },
});

function search(view: BodyView, bytes: Buffer, options: Options): Finding {
  const found = firstFound(textsOf(view, readText(bytes)), options);
  if (!found) return PASS;
  const authority = found.authority ?? options.authority;
  const about = { evidence: { pattern: found.name, ...(authority !== "" && { authority }) } };
  return options.route === "hold" ? hold("on the list of what is prohibited", about) : note("on the list", about);
}

/** Cleaned of what hides words from machines, as a reader sees it. */
const textsOf = ({ headers }: BodyView, { text, alt, links }: MailText): Readonly<Record<Place, string>> => ({
  subject: cleanText(decodedSubject(headers)).text,
  text: alt === "" ? text : `${text}\n${alt}`,
  links: links.join("\n"),
});

function firstFound(texts: Readonly<Record<Place, string>>, options: Options): Entry | undefined {
  const match = matcherOf(options);
  let first: number | undefined;
  for (const place of PLACES) {
    for (const at of match(texts[place])) {
      if (options.patterns[at]?.in.includes(place) && (first === undefined || at < first)) first = at;
    }
  }
  return first === undefined ? undefined : options.patterns[first];
}

/** Compiled with the first mail after each reading of the configuration. */
const matchers = new WeakMap<Options, Matcher>();

function matcherOf(options: Options): Matcher {
  const known = matchers.get(options);
  if (known) return known;
  const made = createMatcher(options.patterns.map(({ pattern }) => pattern));
  matchers.set(options, made);
  return made;
}
