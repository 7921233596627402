/** The two encodings of encoded words, from characters to bytes; neither throws, whatever it is given. */

const EQUALS = 0x3d;
const UNDERSCORE = 0x5f;

/** The bytes of a word in the Q encoding (RFC 2047 4.2). A `=` without two hex digits stands for itself. */
export function decodeQ(text: string): Buffer {
  const bytes = Buffer.allocUnsafe(text.length);
  let length = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    const escaped = code === EQUALS ? hexPair(text, at + 1) : -1;
    if (escaped >= 0) at += 2;
    bytes[length] = escaped >= 0 ? escaped : code === UNDERSCORE ? 0x20 : code;
    length += 1;
  }
  return bytes.subarray(0, length);
}

/** The byte two hex digits stand for, -1 where they are none. */
const hexPair = (text: string, at: number): number => {
  const [high, low] = [hexDigit(text.charCodeAt(at)), hexDigit(text.charCodeAt(at + 1))];
  return high < 0 || low < 0 ? -1 : high * 16 + low;
};

/** @param code NaN beyond the text's end */
function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const upper = code & 0xdf;
  return upper >= 0x41 && upper <= 0x46 ? upper - 0x37 : -1;
}

/** More pieces than any writer makes of one word. */
const PIECES_MAX = 100;

/**
 * The bytes of a word in the B encoding (RFC 2047 4.1). Some writers encode piece by piece and leave padding inside: each
 * piece is decoded by itself.
 */
export function decodeB(text: string): Buffer {
  const padding = text.indexOf("=");
  if (padding < 0 || padding >= text.length - 2) return Buffer.from(text, "base64");
  return Buffer.concat(text.split(/=+/, PIECES_MAX).map((piece) => Buffer.from(piece, "base64")));
}
