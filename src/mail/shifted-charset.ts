/**
 * The seven-bit charsets of East Asian mail, which iconv-lite does not have: ISO-2022-JP (RFC 1468, 1554),
 * ISO-2022-CN (RFC 1922), ISO-2022-KR (RFC 1557) and HZ (RFC 1843). Each is a sequence of shifts between ASCII and
 * two-byte sets; with the high bit set those sets are EUC-JP, GBK and CP949, which iconv-lite does have. One pass over
 * the bytes, no look-back.
 */
import iconv from "iconv-lite";

export type ShiftFamily = "jp" | "cn" | "kr" | "hz";

/** A set of characters: the eight-bit charset that holds it, and how many bytes make one character. */
interface CharacterSet {
  /** All are supersets of ASCII; `none`: no table here, shown as U+FFFD. */
  readonly charset: "ascii" | "eucjp" | "gbk" | "cp949" | "none";
  readonly width: 1 | 2;
  /** Stands before each character: the single shifts of EUC-JP. */
  readonly prefix?: number;
}

const ASCII: CharacterSet = { charset: "ascii", width: 1 };
const GB: CharacterSet = { charset: "gbk", width: 2 };
const KS: CharacterSet = { charset: "cp949", width: 2 };
const JIS208: CharacterSet = { charset: "eucjp", width: 2 };
const JIS212: CharacterSet = { charset: "eucjp", width: 2, prefix: 0x8f };
const KANA: CharacterSet = { charset: "eucjp", width: 1, prefix: 0x8e };
/** CNS 11643 planes of ISO-2022-CN. */
const CNS: CharacterSet = { charset: "none", width: 2 };

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
const DOLLAR = 0x24;
const BRACKET = 0x28;
const SO = 0x0e;
const SI = 0x0f;
const LF = 0x0a;
const TILDE = 0x7e;
const REPLACEMENT = "\uFFFD";

/** Where a decoder stands: the sets at hand, and what it has read so far. */
interface State {
  readonly bytes: Buffer;
  readonly run: Run;
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
  const state: State = { bytes, run: new Run(bytes.length), g0: ASCII, g1, shiftedOut: false };
  const takeShift = family === "hz" ? takeTilde : takeEscape;
  for (let at = 0; at < bytes.length; ) at += takeShift(state, at) || takeCharacter(state, at);
  return state.run.end();
}

/** Takes the ISO 2022 shift at `at`; returns its length, 0 where none stands. */
function takeEscape(state: State, at: number): number {
  const byte = state.bytes[at];
  if (byte === SO || byte === SI) {
    state.shiftedOut = byte === SO;
    return 1;
  }
  if (byte !== ESC) return 0;
  const isKind = state.bytes[at + 1] === DOLLAR || state.bytes[at + 1] === BRACKET;
  const ahead = isKind ? state.bytes.toString("latin1", at + 1, at + 4) : "";
  const found = isKind ? ESCAPES.find(([text]) => ahead.startsWith(text)) : undefined;
  if (!found) {
    state.run.unreadable();
    return 1;
  }
  state[found[1]] = found[2];
  return 1 + found[0].length;
}

/** The same for HZ: `~{` and `~}` shift, `~~` is a tilde, a tilde before a line's end is nothing. */
function takeTilde(state: State, at: number): number {
  if (state.bytes[at] !== TILDE) return 0;
  const next = state.bytes[at + 1];
  if (next === 0x7b) state.g0 = GB;
  else if (next === 0x7d) state.g0 = ASCII;
  else if (next === TILDE && state.g0 === ASCII) state.run.add(ASCII, TILDE);
  else if (next !== LF) return 0;
  return 2;
}

const isGraphic = (byte: number | undefined): byte is number => byte !== undefined && byte > 0x20 && byte < 0x7f;

/** Takes one character; returns how many bytes it had. */
function takeCharacter(state: State, at: number): number {
  const first = state.bytes[at] ?? 0;
  const second = state.bytes[at + 1];
  const set = state.shiftedOut ? state.g1 : state.g0;
  if (first > 0x7f) state.run.unreadable();
  else if (set === ASCII || !isGraphic(first)) state.run.add(ASCII, first);
  else if (set.width === 1) state.run.add(set, first);
  else if (isGraphic(second)) {
    state.run.add(set, first, second);
    return 2;
  } else state.run.unreadable();
  return 1;
}

/** Bytes of one eight-bit charset, decoded together when another begins. ASCII belongs to any. */
class Run {
  readonly #done: string[] = [];
  #charset: CharacterSet["charset"] = "ascii";
  /** No character has more than a prefix and its own bytes. */
  readonly #bytes: Buffer;
  #length = 0;

  constructor(sourceBytes: number) {
    this.#bytes = Buffer.allocUnsafe(2 * sourceBytes);
  }

  add(set: CharacterSet, first: number, second?: number): void {
    if (set.charset === "none") {
      this.unreadable();
      return;
    }
    if (set.charset !== "ascii") {
      if (this.#charset !== "ascii" && this.#charset !== set.charset) this.#flush();
      this.#charset = set.charset;
    }
    if (set.prefix !== undefined) this.#put(set.prefix);
    const high = set.charset === "ascii" ? 0 : 0x80;
    this.#put(first | high);
    if (second !== undefined) this.#put(second | high);
  }

  unreadable(): void {
    this.#flush();
    this.#done.push(REPLACEMENT);
  }

  end(): string {
    this.#flush();
    return this.#done.join("");
  }

  #put(byte: number): void {
    this.#bytes[this.#length] = byte;
    this.#length += 1;
  }

  #flush(): void {
    if (this.#length > 0) this.#done.push(iconv.decode(this.#bytes.subarray(0, this.#length), this.#charset));
    this.#length = 0;
    this.#charset = "ascii";
  }
}
