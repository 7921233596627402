/**
 * New input from old: by bytes, by lines, by words that mean something to the target, and by sheer repetition, which is where
 * quadratic cost shows. The random is given, so the same seed makes the same input.
 */
export interface Palette {
  readonly words: readonly string[];
  readonly bytesMax: number;
  /** Another input to take pieces from. */
  readonly other: () => string;
}

type Random = () => number;
type Mutation = (text: string, random: Random, palette: Palette) => string;

const upTo = (random: Random, max: number): number => Math.floor(random() * max);
const oneOf = <T>(random: Random, items: readonly T[]): T => items[upTo(random, items.length)] as T;

/** Numbers at which somebody stops counting. */
const NUMBERS = ["0", "-1", "1", "9", "63", "64", "127", "128", "255", "256", "998", "65535", "65536"].concat([
  "2147483647",
  "4294967296",
  "9007199254740993",
  "1e9",
  "00000000000000000001",
]);
const BYTES = [
  "\0",
  "\r",
  "\n",
  "\r\n",
  "\t",
  " ",
  '"',
  "\\",
  "\x7f",
  "\x80",
  "\xa0",
  "\xc3",
  "\xe2\x80\x8b",
  "\xff",
  "=",
];
const OPENINGS = ["(", "<", '"', "[", "{", "<div>", "=?", "--b\r\n", "\\", "@a,", "<!--", "&", "a: &a [*a,"];

/** A place to cut: half the time at the start of a line or word. */
function place(text: string, random: Random): number {
  const at = upTo(random, text.length + 1);
  if (random() < 0.5) return at;
  const next = text.slice(at, at + 200).search(random() < 0.5 ? /\n/ : /[\s,;:=<>"()]/);
  return next < 0 ? at : at + next + 1;
}

function span(text: string, random: Random): [number, number] {
  const one = place(text, random);
  const length = random() < 0.7 ? upTo(random, 40) : upTo(random, text.length + 1);
  return [one, Math.min(text.length, one + length)];
}

const insert = (text: string, at: number, piece: string): string => text.slice(0, at) + piece + text.slice(at);

const MUTATIONS: readonly Mutation[] = [
  // A byte changed.
  (text, random) => {
    const at = upTo(random, text.length);
    const code = (text.charCodeAt(at) ^ (1 << upTo(random, 8))) & 255;
    return text.slice(0, at) + String.fromCharCode(code) + text.slice(at + 1);
  },
  (text, random) => insert(text, place(text, random), oneOf(random, BYTES)),
  (text, random) => insert(text, place(text, random), String.fromCharCode(upTo(random, 256))),
  (text, random) => {
    const [from, to] = span(text, random);
    return text.slice(0, from) + text.slice(to);
  },
  (text, random) => {
    const [from, to] = span(text, random);
    return insert(text, place(text, random), text.slice(from, to));
  },
  // A word that means something, put in or put in another's place.
  (text, random, { words }) => insert(text, place(text, random), oneOf(random, words)),
  (text, random, { words }) => insert(text, place(text, random), oneOf(random, words)),
  (text, random, { words }) => {
    const at = place(text, random);
    const word = /^[\w.@+-]+/.exec(text.slice(at, at + 80))?.[0] ?? "";
    return text.slice(0, at) + oneOf(random, words) + text.slice(at + word.length);
  },
  // A number.
  (text, random) => {
    const at = upTo(random, text.length);
    const found = /\d+/.exec(text.slice(at));
    if (!found) return insert(text, at, oneOf(random, NUMBERS));
    const from = at + found.index;
    return text.slice(0, from) + oneOf(random, NUMBERS) + text.slice(from + found[0].length);
  },
  // Lines: gone, twice, elsewhere.
  (text, random) => {
    const lines = text.split("\n");
    const line = upTo(random, lines.length);
    const taken = lines.splice(line, 1 + upTo(random, 3));
    if (random() < 0.6) lines.splice(upTo(random, lines.length + 1), 0, ...taken);
    return lines.join("\n");
  },
  (text, random, { other }) => {
    const lines = text.split("\n");
    const theirs = other().split("\n");
    const from = upTo(random, theirs.length);
    lines.splice(upTo(random, lines.length + 1), upTo(random, 2), ...theirs.slice(from, from + 1 + upTo(random, 8)));
    return lines.join("\n");
  },
  (text, random, { other }) => text.slice(0, place(text, random)) + other().slice(upTo(random, text.length)),
  (text, random) => text.slice(0, place(text, random)),
  // Line ends, all or one.
  (text, random) => {
    const to = oneOf(random, ["\n", "\r", "\r\n", "\r\r\n", "\n\n"]);
    if (random() < 0.2) return text.replace(/\r\n|\n/g, to);
    const at = text.indexOf("\r\n", upTo(random, text.length));
    return at < 0 ? text : text.slice(0, at) + to + text.slice(at + 2);
  },
  (text, random) => {
    const [from, to] = span(text, random);
    const piece = text.slice(from, to);
    return text.slice(0, from) + (random() < 0.5 ? piece.toUpperCase() : piece.toLowerCase()) + text.slice(to);
  },
];

/** The same over and over, to the bound: what costs more than its length shows here. */
function amplify(text: string, random: Random, { words, bytesMax }: Palette): string {
  const [from, to] = span(text, random);
  const pieces = [text.slice(from, to), oneOf(random, words), oneOf(random, OPENINGS), oneOf(random, BYTES)];
  const piece = `${oneOf(random, pieces)}${random() < 0.3 ? oneOf(random, pieces) : ""}` || "a";
  const room = bytesMax - text.length;
  const bytes = random() < 0.5 ? room : Math.min(room, 1 << (6 + upTo(random, 12)));
  return insert(text, place(text, random), piece.repeat(Math.max(1, Math.floor(bytes / piece.length))));
}

const AMPLIFIED = 0.03;

/** One to eight changes of an input. */
export function mutate(seed: string, random: Random, palette: Palette): string {
  let text = seed;
  const changes = 1 + Math.floor(random() ** 2 * 8);
  for (let n = 0; n < changes; n += 1) text = oneOf(random, MUTATIONS)(text, random, palette);
  if (random() < AMPLIFIED) text = amplify(text, random, palette);
  return text.slice(0, palette.bytesMax);
}
