/**
 * Words of refusal in people's own answers (config/refusal-words.yaml). Whole sentences are compared with whole sentences, so
 * "don't stop sending" is none; what is long, or doubtful in any way, says nothing.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { firstOf, parseYaml } from "../config/yaml.ts";
import { Misuse } from "../kit/trouble.ts";

export type WordsOfRefusal = (said: string) => boolean;

const OWN = fileURLToPath(new URL("../../config/refusal-words.yaml", import.meta.url));
const lists = z.record(z.enum(["en", "zh", "vi"]), z.array(z.string().min(1)));
const schema = z.strictObject({ version: z.string(), sentences: lists, alone: lists, polite: lists, doubtful: lists });

/** Whoever writes more than this says more than no. */
const CHARS_MAX = 300;
const SENTENCES_MAX = 8;

/** @throws Misuse when the file cannot be used */
export function loadRefusalWords(path = OWN): WordsOfRefusal {
  const { value, problems } = parseYaml(path, readFileSync(path, "utf8"));
  const read = schema.safeParse(value);
  if (problems.length > 0 || !read.success) {
    throw new Misuse(`${path} cannot be used:`, [
      ...firstOf(problems, path),
      ...(read.error?.issues.map(({ message }) => message) ?? []),
    ]);
  }
  const { sentences, alone, polite, doubtful } = read.data;
  const every = (of: z.infer<typeof lists>): string[] => Object.values(of).flat();
  const patterns = every(sentences).map(patternOf);
  const isRefusal = (sentence: string): boolean => patterns.some((pattern) => pattern.test(sentence));
  const whole = new Set(every(alone).map(plain));
  const doubts = every(doubtful).map(plain);
  const courtesies = every(polite).map(plain);
  return (said) => {
    const text = said.trim();
    if (text === "" || text.length > CHARS_MAX) return false;
    const one = plain(text);
    if (doubts.some((doubt) => contains(one, doubt))) return false;
    const parts = sentencesOf(text).map((each) => without(plain(each), courtesies));
    const spoken = parts.filter((each) => each !== "");
    if (spoken.length === 0 || spoken.length > SENTENCES_MAX) return false;
    const [only] = spoken;
    return (spoken.length === 1 && only !== undefined && whole.has(only)) || spoken.some(isRefusal);
  };
}

/** Ends of sentences and lines; a comma ends one, too. */
const sentencesOf = (text: string): string[] => text.split(/[\n.!?,;:。！？，；：、…]+/);

/** Lower case, one blank between words, none between Chinese characters, no signs at the ends. */
const plain = (text: string): string =>
  text
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[’‘`´]/g, "'")
    .replace(/\s+/g, " ")
    .replace(/(?<=\p{Script=Han}) | (?=\p{Script=Han})/gu, "")
    .replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, "");

/** Words are words; Chinese has none to be told apart. */
function contains(text: string, doubt: string): boolean {
  if (/\p{Script=Han}/u.test(doubt)) return text.includes(doubt);
  return ` ${text.replace(/[^\p{L}\p{N}']+/gu, " ")} `.includes(` ${doubt.replace(/[^\p{L}\p{N}']+/gu, " ")} `);
}

/** A sentence without what only makes it polite. */
function without(sentence: string, courtesies: readonly string[]): string {
  let rest = sentence;
  for (let before = ""; before !== rest; ) {
    before = rest;
    for (const each of courtesies) rest = cut(rest, each);
  }
  return rest;
}

function cut(text: string, courtesy: string): string {
  if (text === courtesy) return "";
  const gap = /\p{Script=Han}/u.test(courtesy) ? "" : " ";
  if (text.startsWith(courtesy + gap)) return text.slice(courtesy.length + gap.length);
  if (text.endsWith(gap + courtesy)) return text.slice(0, -(courtesy.length + gap.length));
  return text;
}

/**
 * A phrase with "[a|b]" and "(a|b)" as a pattern for whole sentences. There is nothing in it that repeats, so it takes no longer than the phrase
 * has choices.
 */
const patternOf = (phrase: string): RegExp =>
  new RegExp(
    `^${plainPhrase(phrase)
      .replace(/[.*+?^${}\\]/g, "\\$&")
      .replaceAll("(", "(?:")
      .replaceAll("[", "(?:")
      .replaceAll("]", ")?")
      .replaceAll(" ", " ?")}$`,
    "u",
  );

const plainPhrase = (phrase: string): string => phrase.normalize("NFKC").toLowerCase().trim();
