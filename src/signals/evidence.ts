/**
 * What fired, in words that an operator understands and that tell nothing of the text itself: groups of words by what
 * they are for, links, layout, tricks, header signs, copies. For ledger and console; the score is the model's alone.
 */
import type { MailText } from "../mail/text.ts";
import { type Sign, signInWords } from "./declared.ts";
import { hostOf } from "./links.ts";
import type { Wording } from "./normal.ts";
import { purposesOf } from "./purposes.ts";

/** What is told besides the words. */
export interface Circumstances {
  readonly text: MailText;
  readonly words: Wording;
  readonly signs?: readonly Sign[];
}

/** Phrases, the weightiest kind first; none for a mail in which there is nothing to say. */
export function evidenceOf({ text, words, signs = [] }: Circumstances): string[] {
  return [...wordGroups(words), ...linkEvidence(text.links), ...trickEvidence(text), ...signs.map(signInWords)];
}

function wordGroups(words: Wording): string[] {
  const found = purposesOf(words);
  if (!found.includes("prices") || !found.includes("ordering words")) return found;
  return ["prices and ordering words", ...found.filter((group) => group !== "prices" && group !== "ordering words")];
}

function linkEvidence(links: readonly string[]): string[] {
  const hosts = new Set(links.map(hostOf).filter((host) => host !== ""));
  if (hosts.size === 0) return [];
  return [`links ${links.length} to ${hosts.size} ${hosts.size === 1 ? "host" : "hosts"}`];
}

/** Letters and characters below this happen in honest mail. */
const HIDDEN_CHARS_MIN = 40;
const TRICKS_MIN = 3;

function trickEvidence(text: MailText): string[] {
  const found: string[] = [];
  if (text.imageOnly) found.push("pictures and hardly a word");
  if (text.hiddenChars >= HIDDEN_CHARS_MIN) found.push(`${text.hiddenChars} letters that nobody sees`);
  if (text.zeroWidth >= TRICKS_MIN) found.push(`invisible characters inside ${text.zeroWidth} words`);
  if (text.lookAlikes >= TRICKS_MIN) found.push(`${text.lookAlikes} letters that look like others`);
  if (text.broken > 0) found.push("a structure that contradicts itself");
  return found;
}
