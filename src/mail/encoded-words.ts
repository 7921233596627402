/**
 * Encoded words (RFC 2047, RFC 2231 5) to the text a mail reader shows. What writers get wrong and readers put up with
 * is put up with here: words without blanks around them, blanks and `?` inside, a character cut in two by a word's end,
 * misspelt charsets. What readers show as it stands stays as it stands. Time and memory are linear in the value's
 * length, whatever the bytes.
 */
import { charsetName, decodeBytes, decodeUnlabelled } from "./header-charset.ts";
import { decodeB, decodeQ } from "./word-encodings.ts";

/** UTF-16 units of decoded text that are kept: a label stands first, and no reader shows a Subject of this length. */
export const DECODED_CHARS_MAX = 16_384;
/** Bytes looked at for each unit that may still be kept; only escape sequences take more for one character. */
const BYTES_PER_CHAR = 8;

/** One encoded word, and where it stands in the value. */
interface Word {
  readonly start: number;
  /** After its `?=`. */
  readonly end: number;
  readonly charset: string;
  readonly bytes: Buffer;
}

/**
 * Decodes a header value. Never throws; what cannot be read becomes U+FFFD.
 *
 * @param value unfolded, one character a byte (`Field.value`)
 * @param options.charsMax the text is cut after so many UTF-16 units
 */
export function decodeEncodedWords(value: string, options: { readonly charsMax?: number } = {}): string {
  const out = new Output(options.charsMax ?? DECODED_CHARS_MAX);
  let after = 0;
  for (const word of words(value)) {
    const between = value.slice(after, word.start);
    // Blanks between two encoded words only separate them (RFC 2047 6.2).
    if (after === 0 || !/^[ \t\r\n]*$/.test(between)) out.addRaw(between);
    out.addWord(word);
    after = word.end;
    if (out.full) break;
  }
  out.addRaw(value.slice(after));
  return out.end();
}

/**
 * The words of a value from left to right. `=?` and `?=` are searched forward only, each stretch once: that keeps it
 * linear. A word that was never closed swallows nothing: the search goes on inside it.
 */
function* words(value: string): Generator<Word> {
  let close = -1;
  for (let start = value.indexOf("=?"); start >= 0; ) {
    // Thousands of openings in a row are not looked at closely: what the next one comes before is no word.
    const following = value.indexOf("=?", start + 2);
    if (close < start + 2) close = value.indexOf("?=", start + 2);
    if (following >= 0 && following < close - 1) {
      start = following;
      continue;
    }
    const opening = OPENING.exec(value.slice(start, start + OPENING_CHARS_MAX));
    const textAt = start + (opening?.[0].length ?? 2);
    if (close < textAt) close = value.indexOf("?=", textAt);
    if (close < 0) return;
    const next = value.indexOf("=?", textAt);
    // The last `=` of base64 makes a `=?` with the closing `?=`; that one is no opening.
    const bytes =
      opening && (next < 0 || next >= close - 1) ? wordBytes(opening, value.slice(textAt, close)) : undefined;
    if (bytes) yield { start, end: close + 2, charset: charsetName(opening?.[1] ?? ""), bytes };
    start = bytes ? value.indexOf("=?", close + 2) : next;
  }
}

/** Samples: "=?GB2312?B?", "=?utf-8*zh?q?", "=?ISO-8859-1:1987?Q?". */
const OPENING = /^=\?([A-Za-z0-9][A-Za-z0-9_.:+*-]*)\?([BbQq])\?/;
/** Far more than RFC 2978 2.3 allows a charset's name. */
const OPENING_CHARS_MAX = 80;
/** Both base64 alphabets are met, and blanks. Anything else makes no word: readers show it as it stands. */
const BASE64 = /^[A-Za-z0-9+/_=\s-]*$/;

function wordBytes(opening: RegExpExecArray, text: string): Buffer | undefined {
  if (opening[2] === "Q" || opening[2] === "q") return decodeQ(text);
  return BASE64.test(text) ? decodeB(text) : undefined;
}

/** Gathers text. Bytes of neighbouring words of one charset are joined before decoding. */
class Output {
  readonly #charsMax: number;
  readonly #done: string[] = [];
  #chars = 0;
  #charset = "";
  #bytes: Buffer[] = [];

  constructor(charsMax: number) {
    this.#charsMax = charsMax;
  }

  get full(): boolean {
    return this.#chars >= this.#charsMax;
  }

  addRaw(text: string): void {
    if (text === "") return;
    this.#flush();
    if (!this.full) this.#push(decodeUnlabelled(startOf(text, this.#charsMax * BYTES_PER_CHAR)));
  }

  addWord({ charset, bytes }: Word): void {
    if (charset !== this.#charset) this.#flush();
    this.#charset = charset;
    if (bytes.length > 0) this.#bytes.push(bytes);
  }

  end(): string {
    this.#flush();
    return cut(this.#done.length === 1 ? (this.#done[0] ?? "") : this.#done.join(""), this.#charsMax);
  }

  #flush(): void {
    const [first] = this.#bytes;
    if (first && !this.full) {
      const joined = this.#bytes.length > 1 ? Buffer.concat(this.#bytes) : first;
      this.#push(decodeBytes(joined.subarray(0, this.#charsMax * BYTES_PER_CHAR), this.#charset));
    }
    this.#bytes = [];
    this.#charset = "";
  }

  #push(text: string): void {
    this.#done.push(text);
    this.#chars += text.length;
  }
}

/** Not more of a text than can be shown, cut where no charset has the middle of a character. */
function startOf(text: string, bytesMax: number): string {
  if (text.length <= bytesMax) return text;
  let end = bytesMax;
  while (end > 0 && text.charCodeAt(end - 1) >= 0x30) end -= 1;
  if (end > 0) return text.slice(0, end);
  // Nothing but characters of several bytes: not inside of one, where they are UTF-8.
  end = bytesMax;
  while ((text.charCodeAt(end) & 0xc0) === 0x80 && end > bytesMax - 4) end -= 1;
  return text.slice(0, end);
}

/** Cuts between characters, never inside a surrogate pair. */
function cut(text: string, charsMax: number): string {
  if (text.length <= charsMax) return text;
  const last = text.charCodeAt(charsMax - 1);
  return text.slice(0, last >= 0xd800 && last < 0xdc00 ? charsMax - 1 : charsMax);
}
