/**
 * Does a Subject carry the label of a law? The Subject comes decoded (mail/subject.ts); the label is data of a pack. What
 * is accepted is what the law says, as a reader and a filter both see it; what only comes near is told by name, so that
 * the sender hears what was wrong. Anchored patterns with bounded repeats only: linear in the Subject's length.
 */
import { foldForLabel } from "../mail/subject.ts";
import { anywhere, atFront, CODE, loosely, toTheLetter } from "./label-patterns.ts";
import type { Label } from "./pack.ts";

/**
 * How a Subject without the label came near it.
 *
 * - `legacy`: the label of an older rule.
 * - `variant`: other signs around it, between it or for it: "(QC) …", "广 告 …", "廣告 …", "［QC］ …" where the letter counts.
 * - `look-alike`: seen by a person and not by a filter: hidden characters, letters of other scripts.
 * - `lower-case`: "ad: …", "[qc] …".
 * - `not-first`: somewhere further on: "Re: 广告 …", "[list] [QC] …".
 */
export type Near = "legacy" | "variant" | "look-alike" | "lower-case" | "not-first";

export type LabelMatch =
  | {
      readonly found: true;
      /** The label as the law writes it, its code filled in: "广告", "[QC 1231]". */
      readonly text: string;
      /** The management code in it, where it has one. */
      readonly code?: string;
      /** `disguised`: in compatibility forms of its letters, such as full width. */
      readonly how: "exact" | "disguised";
    }
  | { readonly found: false; readonly near?: Near };

type Matcher = (subject: string) => LabelMatch;

const matchers = new WeakMap<Label, Matcher>();

/**
 * Looks for a label at the place its law demands.
 *
 * @param subject as `decodedSubject` gives it
 */
export function matchLabel(label: Label, subject: string): LabelMatch {
  const known = matchers.get(label);
  if (known) return known(subject);
  const made = remembering(compileLabel(label));
  matchers.set(label, made);
  return made(subject);
}

/** A mail to many recipients asks for the same Subject many times. */
function remembering(match: Matcher): Matcher {
  let latest: { readonly subject: string; readonly answer: LabelMatch } | undefined;
  return (subject) => {
    if (latest?.subject !== subject) latest = { subject, answer: match(subject) };
    return latest.answer;
  };
}

function compileLabel(label: Label): Matcher {
  const strict = label.position === "front" ? atFront : toTheLetter;
  const pattern = (text: string): Pattern => ({ text, regex: strict(text, label.codePattern) });
  const accept = label.accept.map(pattern);
  const near = compileNear(label, label.legacy.map(pattern), accept);
  return (subject) => {
    const exact = firstMatch(accept, subject, "exact");
    if (exact) return exact;
    const plain = subject.normalize("NFKC");
    const disguised = label.position === "front" && plain !== subject && firstMatch(accept, plain, "disguised");
    return disguised || { found: false, ...near(subject, plain) };
  };
}

/** One label text and what a Subject that carries it begins with. */
interface Pattern {
  readonly text: string;
  readonly regex: RegExp;
}

function firstMatch(patterns: readonly Pattern[], subject: string, how: "exact" | "disguised"): LabelMatch | undefined {
  for (const { text, regex } of patterns) {
    const match = regex.exec(subject);
    if (!match) continue;
    const code = match.groups?.code;
    return { found: true, text: code ? text.replace(CODE, code) : text, ...(code && { code }), how };
  }
  return undefined;
}

/** What was tried, the likeliest first. */
function compileNear(label: Label, legacy: readonly Pattern[], accept: readonly Pattern[]) {
  const spellings = [...label.accept, ...(label.variants ?? [])];
  const loose = spellings.flatMap((text) => loosely(text, label.codePattern));
  const anyCase = loose.map((regex) => new RegExp(regex.source, "iv"));
  const inside = label.accept.map((text) => anywhere(text, label.codePattern));
  const strict = accept.map(({ regex }) => regex);
  const older = legacy.map(({ regex }) => regex);
  const any = (patterns: readonly RegExp[], text: string): boolean => patterns.some((regex) => regex.test(text));

  return (subject: string, plain: string): { near?: Near } => {
    if (any(older, subject)) return { near: "legacy" };
    if (any(loose, plain)) return { near: "variant" };
    const folded = foldForLabel(subject);
    if (folded !== plain && (any(strict, folded) || any(loose, folded))) return { near: "look-alike" };
    if (any(anyCase, folded)) return { near: "lower-case" };
    return any(inside, folded) ? { near: "not-first" } : {};
  };
}
