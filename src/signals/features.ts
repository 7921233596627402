/**
 * A mail as a sparse vector: words, pairs of words and pieces of words of alphabetic scripts, runs of one to three Chinese
 * characters, what links and layout look like, each hashed into one of 2^21 buckets. Words of the Subject count once among
 * all words and once as words of a Subject. Chinese mail has its own buckets for words, and each language its own for what
 * a mail looks like and what its words are for: an English word in a Chinese mail means something else. How this was
 * chosen: docs/detector.md.
 */
import type { MailText } from "../mail/text.ts";
import { hashText, SEED, step } from "./hashing.ts";
import { type Language, languageOf } from "./language.ts";
import { hostOf } from "./links.ts";
import { addManner, addMarked } from "./manner.ts";
import { type Wording, wordingOf } from "./normal.ts";
import { purposesOf } from "./purposes.ts";
import { add, addFixed, collect, type Features, timesOf } from "./sparse.ts";

export { FEATURE_BITS, type Features } from "./sparse.ts";

/** What a mail is read into before it is judged. */
export interface ReadMail {
  readonly subject: string;
  readonly text: MailText;
  /** Local parts of the recipients' addresses. */
  readonly own: readonly string[];
}

/** Namespaces: the same word is another feature in each. */
interface Namespaces {
  readonly any: number;
  readonly subject: number;
  /** Words with their marks. */
  readonly marked: number;
  readonly shape: number;
}

const LANGUAGES: Readonly<Record<Language, number>> = { zh: 11, vi: 12, latin: 13, other: 14 };

const namespacesOf = (language: Language): Namespaces => {
  const script = step(SEED, language === "zh" ? 1 : 2);
  return {
    any: step(script, 5),
    subject: step(script, 6),
    marked: step(script, 8),
    shape: step(SEED, LANGUAGES[language]),
  };
};

const SHOUTED = step(SEED, 4);

/** Letters of one word that are told apart. */
const WORD_CHARS_MAX = 20;
/** A single Chinese character says little; so much less it weighs than a pair. */
const SINGLE_HAN_WEIGHT = 0.5;
/** Three letters of a word say little too, but survive misspelling and word forms. */
const PIECE_WEIGHT = 0.25;

/** Han and kana, which are written without blanks. */
const isHan = (code: number): boolean =>
  (code >= 0x4e00 && code <= 0x9fff) || (code >= 0x3400 && code <= 0x4dbf) || (code >= 0x3040 && code <= 0x30ff);

/** Letters, folded digits, apostrophes and the marks that stand for addresses. */
const isWord = (code: number): boolean =>
  (code >= 97 && code <= 122) ||
  code === 48 ||
  (code >= 1 && code <= 2) ||
  (code > 0xbf && code < 0xff00 && !(code >= 0x2000 && code <= 0x303f) && !isHan(code));

/** Signs that advertising uses more than letters do. */
const SIGNS = new Set([..."!$%¥€£*★☆■◆●→✓+|~#=【】[]"].map((sign) => sign.charCodeAt(0)));

/** Words that were not there before: their pieces are added once for all their copies. */
const fresh: { text: string; start: number; end: number; place: number }[] = [];

/** Adds the features of a text in one pass; `addPieces` adds those of its words. */
function addText(text: string, namespace: number): void {
  const { length } = text;
  const word = step(namespace, 0x77);
  let before = 0;
  let at = 0;
  while (at < length) {
    const code = text.charCodeAt(at);
    if (isHan(code)) at = addHanRun(text, at, namespace);
    else if (isWord(code)) {
      const end = wordEnd(text, at);
      const hash = hashOf(text, { start: at, end: Math.min(end, at + WORD_CHARS_MAX), seed: word });
      const place = add(hash, 1, true);
      if (place >= 0) fresh.push({ text, start: at, end: Math.min(end, at + WORD_CHARS_MAX), place });
      if (before !== 0) add(step(step(before, 0x3b), hash), 1, true);
      before = hash;
      at = end;
    } else {
      if (code === 10 || code === 46) before = 0;
      if (code > 32 && SIGNS.has(code)) add(step(step(namespace, 0x21), code), 1, true);
      at += 1;
    }
  }
}

function hashOf(text: string, { start, end, seed }: { start: number; end: number; seed: number }): number {
  let hash = seed;
  for (let at = start; at < end; at += 1) hash = step(hash, text.charCodeAt(at));
  return hash;
}

/** Runs of three letters of each word of the texts added, the blank on either side among them. */
function addPieces(namespace: number): void {
  const seed = step(namespace, 0x9a);
  for (const { text, start, end, place } of fresh) {
    const times = timesOf(place);
    let first = 32;
    let second = text.charCodeAt(start);
    for (let at = start + 1; at <= end; at += 1) {
      const third = at < end ? text.charCodeAt(at) : 32;
      add(step(step(step(seed, first), second), third), PIECE_WEIGHT, true, times);
      first = second;
      second = third;
    }
  }
  fresh.length = 0;
}

function wordEnd(text: string, start: number): number {
  let end = start + 1;
  while (end < text.length) {
    const code = text.charCodeAt(end);
    if (!isWord(code) && code !== 39) break;
    end += 1;
  }
  return end;
}

/** One, two and three characters at every place of a run. @returns the offset after the run */
function addHanRun(text: string, start: number, namespace: number): number {
  const one = step(namespace, 0x5001);
  const two = step(namespace, 0x5002);
  const three = step(namespace, 0x5003);
  let code = text.charCodeAt(start);
  let last = 0;
  let lastButOne = 0;
  let at = start;
  while (at < text.length && isHan(code)) {
    add(step(one, code), SINGLE_HAN_WEIGHT, false);
    if (at > start) add(step(step(two, last), code), 1, false);
    if (at > start + 1) add(step(step(step(three, lastButOne), last), code), 1, false);
    lastButOne = last;
    last = code;
    at += 1;
    code = text.charCodeAt(at);
  }
  return at;
}

/** Characters in which words written all in capitals are looked for. */
const SHOUTED_CHARS_MAX = 12_000;

const SHOUTED_LETTERS_MIN = 3;

/** Words in capitals: the wording itself is lower case. */
function addShouted(text: string): void {
  const end = Math.min(text.length, SHOUTED_CHARS_MAX);
  for (let at = 0; at < end; ) {
    const start = at;
    let hash = SHOUTED;
    let letters = true;
    for (; at < end; at += 1) {
      const code = text.charCodeAt(at);
      if (code >= 65 && code <= 90) hash = step(hash, code);
      else if (isAsciiWord(code)) letters = false;
      else break;
    }
    const length = at - start;
    if (letters && length >= SHOUTED_LETTERS_MIN && length <= WORD_CHARS_MAX) add(hash, 1, true);
    if (length === 0) at += 1;
  }
}

const isAsciiWord = (code: number): boolean =>
  (code >= 97 && code <= 122) || (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || code === 95;

/** Powers of two: 0, 1, 2-3, 4-7 … */
const magnitude = (count: number): number => Math.ceil(Math.log2(1 + count));

/** Hosts whose top-level domain is looked at. */
const HOSTS_MAX = 20;

/** Where mailing lists are left or archived: on every mail of a list, whatever it says. */
const LIST_LINK = /mailman|listinfo|\/lists?[/.]|^(?:https?:\/\/)?lists?\.|\/\/groups\./i;

function addLinks(all: readonly string[], addShape: (shape: string) => void): void {
  const links = all.filter((link) => !LIST_LINK.test(link));
  const hosts = new Set(links.map(hostOf));
  addShape(`links ${Math.min(6, magnitude(links.length))}`);
  addShape(`hosts ${Math.min(4, hosts.size)}`);
  for (const host of [...hosts].slice(0, HOSTS_MAX)) {
    addShape(`tld ${host.slice(host.lastIndexOf(".") + 1)}`);
    if (/^\d{1,3}(?:\.\d{1,3}){3}$/.test(host)) addShape("address for a host");
  }
  if (links.some((link) => /unsub|opt-?out|remove|退订|huy-?dang-?ky/i.test(link))) addShape("link to leave");
}

function addLayout(text: MailText, addShape: (shape: string) => void): void {
  if (text.imageOnly) addShape("pictures only");
  if (text.hiddenChars > 20) addShape("hidden text");
  if (text.zeroWidth > 2) addShape("invisible characters");
  if (text.lookAlikes > 2) addShape("look-alikes");
  addShape(`pictures ${Math.min(4, text.images)}`);
  addShape(text.html ? "html" : "plain");
  addShape("mail");
}

/** Value of each purpose: a mail has a handful of them among hundreds of words. */
const PURPOSE_VALUE = 0.1;
/** In a message without a Subject, once more and weightier: the few words that it has stand for the whole. */
const PURPOSE_VALUE_SHORT = 0.3;
/** As many purposes tell no more than so many. */
const PURPOSES_MAX = 5;

/** What the words are for: words that the collections do not have count by the company they keep. */
function addPurposes(words: Wording, namespace: number, isShort: boolean): void {
  const found = purposesOf(words);
  for (const purpose of found) {
    addFixed(hashText(purpose, namespace), PURPOSE_VALUE);
    if (isShort) addFixed(hashText(purpose, step(namespace, 1)), PURPOSE_VALUE_SHORT);
  }
  if (found.length > 0) addFixed(step(namespace, 2 + Math.min(PURPOSES_MAX, found.length)), PURPOSE_VALUE);
}

/** The wording that features, fingerprint and evidence are all taken from. */
export const wordsOf = ({ subject, text, own }: ReadMail): Wording =>
  wordingOf({ subject, text: text.alt === "" ? text.text : `${text.text}\n${text.alt}`, own });

/** What others want of a mail too, so that it is worked out once. */
export interface Read {
  readonly words: Wording;
  readonly language: Language;
}

/** The wording of a mail and its language; marks tell the language of a short message, which has few words to tell it by. */
export function wordsAndLanguage(mail: ReadMail): Read {
  const words = wordsOf(mail);
  return { words, language: languageOf(words, mail.subject === "" ? mail.text.text : "") };
}

/** Bounded by the bounds of the wording: some tenths of a millisecond for 4 KB of text, never more than a few. */
export function featuresOf(mail: ReadMail, { words, language }: Read = wordsAndLanguage(mail)): Features {
  const { any, subject, marked, shape } = namespacesOf(language);
  const addShape = (name: string): void => void add(hashText(name, shape), 1, false);
  addText(words.body, any);
  addText(words.subject, any);
  addPieces(any);
  addText(words.subject, subject);
  addPieces(subject);
  addShouted(mail.subject);
  addShouted(mail.text.text);
  addLinks(mail.text.links, addShape);
  addLayout(mail.text, addShape);
  addPurposes(words, step(shape, 8), mail.subject === "");
  if (mail.subject === "") {
    addManner(mail.text.text, step(shape, 7));
    addMarked(mail.text.text, marked);
  }
  return collect();
}
