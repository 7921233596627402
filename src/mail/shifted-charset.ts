/**
 * The seven-bit charsets of East Asian mail, which iconv-lite does not have: ISO-2022-JP (RFC 1468, 1554),
 * ISO-2022-CN (RFC 1922), ISO-2022-KR (RFC 1557) and HZ (RFC 1843). Each is a sequence of shifts between ASCII and
 * two-byte sets; with the high bit set those sets are EUC-JP, GBK and CP949, which iconv-lite does have. Each set is read from
 * it once, into a table: then a text is one pass over its bytes, however often it shifts.
 */
import iconv from "iconv-lite";

export type ShiftFamily = "jp" | "cn" | "kr" | "hz";

/** A set of characters: how many bytes make one, and which. */
interface CharacterSet {
  readonly width: 1 | 2;
  /** UTF-16, by what the bytes are above FIRST, the first of two times GRAPHIC. Made when first asked for. */
  readonly characters: () => Uint16Array;
}

const REPLACEMENT = 0xfffd;
/** The graphic characters of ASCII: the first, and how many, which are the places in each byte of a set. */
const FIRST = 0x21;
const GRAPHIC = 94;

/** @param prefix stands before each character: the single shifts of EUC-JP */
function setOf(charset: "eucjp" | "gbk" | "cp949", width: 1 | 2, prefix: readonly number[] = []): CharacterSet {
  let made: Uint16Array | undefined;
  return {
    width,
    characters() {
      made ??= readSet(charset, width, prefix);
      return made;
    },
  };
}

/** Every character of a set on a line of its own, so that one that is not assigned cannot disturb the next. */
function readSet(charset: string, width: 1 | 2, prefix: readonly number[]): Uint16Array {
  const characters = Array.from({ length: GRAPHIC ** width }, (_, index) =>
    width === 1 ? [0xa1 + index] : [0xa1 + Math.floor(index / GRAPHIC), 0xa1 + (index % GRAPHIC)],
  );
  const lines = characters.flatMap((bytes) => [...prefix, ...bytes, LF]);
  const read = iconv.decode(Buffer.from(lines), charset).split("\n");
  return Uint16Array.from(characters, (_, index) => {
    const text = read[index] ?? "";
    return text.length === 1 ? text.charCodeAt(0) : REPLACEMENT;
  });
}

const LF = 0x0a;
const tableOf = (characters: Uint16Array) => () => characters;
const ASCII: CharacterSet = {
  width: 1,
  characters: tableOf(Uint16Array.from({ length: GRAPHIC }, (_, n) => FIRST + n)),
};
const GB = setOf("gbk", 2);
const KS = setOf("cp949", 2);
const JIS208 = setOf("eucjp", 2);
const JIS212 = setOf("eucjp", 2, [0x8f]);
const KANA = setOf("eucjp", 1, [0x8e]);
/** CNS 11643 planes of ISO-2022-CN: no table here, shown as U+FFFD. */
const CNS: CharacterSet = { width: 2, characters: tableOf(new Uint16Array(GRAPHIC ** 2).fill(REPLACEMENT)) };

/** What follows ESC: `g0` is in use at once, `g1` after SO. */
const ESCAPES: readonly (readonly [text: string, where: "g0" | "g1", set: CharacterSet])[] = [
  ["(B", "g0", ASCII],
  ["(J", "g0", ASCII],
  ["(I", "g0", KANA],
  ["$@", "g0", JIS208],
  ["$B", "g0", JIS208],
  ["$A", "g0", GB],
  ["$(D", "g0", JIS212],
  ["$(C", "g0", KS],
  ["$)C", "g1", KS],
  ["$)A", "g1", GB],
  ["$)E", "g1", GB],
  ["$)G", "g1", CNS],
];

const ESC = 0x1b;
const SO = 0x0e;
const SI = 0x0f;
const TILDE = 0x7e;

/** Where a decoder stands: the sets at hand, and what it has read so far. */
interface State {
  readonly bytes: Buffer;
  /** UTF-16; no byte makes more than one unit. */
  readonly out: Uint16Array;
  length: number;
  g0: CharacterSet;
  g1: CharacterSet;
  shiftedOut: boolean;
}

/**
 * Decodes bytes of a shifted charset. Never throws: half a character, a byte with the high bit set and an unknown
 * escape each become U+FFFD, so that nothing vanishes between two letters.
 */
export function decodeShifted(bytes: Buffer, family: ShiftFamily): string {
  const g1 = family === "kr" ? KS : ASCII;
  const state: State = { bytes, out: new Uint16Array(bytes.length), length: 0, g0: ASCII, g1, shiftedOut: false };
  const takeShift = family === "hz" ? takeTilde : takeEscape;
  for (let at = 0; at < bytes.length; ) at += takeShift(state, at) || takeCharacter(state, at);
  return Buffer.from(state.out.buffer, 0, 2 * state.length).toString("utf16le");
}

function put(state: State, unit: number): void {
  state.out[state.length] = unit;
  state.length += 1;
}

/** Takes the ISO 2022 shift at `at`; returns its length, 0 where none stands. */
function takeEscape(state: State, at: number): number {
  const byte = state.bytes[at];
  if (byte === SO || byte === SI) {
    state.shiftedOut = byte === SO;
    return 1;
  }
  if (byte !== ESC) return 0;
  const found = ESCAPES.find(([text]) => stands(text, state.bytes, at + 1));
  if (!found) {
    put(state, REPLACEMENT);
    return 1;
  }
  state[found[1]] = found[2];
  return 1 + found[0].length;
}

function stands(text: string, bytes: Buffer, at: number): boolean {
  for (let n = 0; n < text.length; n += 1) if (bytes[at + n] !== text.charCodeAt(n)) return false;
  return true;
}

/** The same for HZ: `~{` and `~}` shift, `~~` is a tilde, a tilde before a line's end is nothing. */
function takeTilde(state: State, at: number): number {
  if (state.bytes[at] !== TILDE) return 0;
  const next = state.bytes[at + 1];
  if (next === 0x7b) state.g0 = GB;
  else if (next === 0x7d) state.g0 = ASCII;
  else if (next === TILDE && state.g0 === ASCII) put(state, TILDE);
  else if (next !== LF) return 0;
  return 2;
}

const isGraphic = (byte: number | undefined): byte is number =>
  byte !== undefined && byte >= FIRST && byte < FIRST + GRAPHIC;

/** Takes one character; returns how many bytes it had. */
function takeCharacter(state: State, at: number): number {
  const first = state.bytes[at] ?? 0;
  const second = state.bytes[at + 1];
  const set = state.shiftedOut ? state.g1 : state.g0;
  if (first > 0x7f) put(state, REPLACEMENT);
  else if (set === ASCII || !isGraphic(first)) put(state, first);
  else if (set.width === 1) put(state, set.characters()[first - FIRST] ?? REPLACEMENT);
  else if (isGraphic(second)) {
    put(state, set.characters()[(first - FIRST) * GRAPHIC + second - FIRST] ?? REPLACEMENT);
    return 2;
  } else put(state, REPLACEMENT);
  return 1;
}
