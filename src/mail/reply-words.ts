/**
 * The catalogue of replies (reply-forms.ts) in Chinese and Vietnamese, for those who ask what a refusal meant: what was wrong, what would be
 * accepted. English is the form itself. A test holds the two together: a reply without its words here is none.
 */
import { REPLIES, type ReplyId, type WordTable } from "./reply-forms.ts";
import { VIETNAMESE } from "./reply-words-vi.ts";
import { CHINESE } from "./reply-words-zh.ts";

export const WORD_LANGUAGES = ["en", "zh", "vi"] as const;
export type WordLanguage = (typeof WORD_LANGUAGES)[number];

export interface ReplyWords {
  readonly wrong: string;
  readonly accepted: string;
}

const WORDS: Readonly<Record<"zh" | "vi", WordTable>> = { zh: CHINESE, vi: VIETNAMESE };

/** A reply in one of the languages. */
export function replyWords(id: ReplyId, language: WordLanguage): ReplyWords {
  const pair = language === "en" ? undefined : WORDS[language][id];
  if (!pair) return { wrong: REPLIES[id].wrong, accepted: REPLIES[id].accepted };
  return { wrong: pair[0], accepted: pair[1] };
}

/** Replies that a language lacks. */
export const unworded = (language: "zh" | "vi"): string[] =>
  Object.keys(REPLIES).filter((id) => WORDS[language][id as ReplyId] === undefined);
