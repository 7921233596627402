/**
 * Content-Transfer-Encoding undone (RFC 2045 6), as forgiving as mail readers are: stray characters are skipped, and a
 * body that plainly is not in the encoding it announces is taken as it stands.
 */

const EQUALS = 61;
/** Bytes of a body looked at to see whether it can be base64 at all. */
const SAMPLE_BYTES = 1024;

/** Value of a hexadecimal digit by its byte, 255 for all others. */
const HEX = new Uint8Array(256).fill(255);
for (let digit = 0; digit < 16; digit += 1) {
  HEX["0123456789abcdef".charCodeAt(digit)] = digit;
  HEX["0123456789ABCDEF".charCodeAt(digit)] = digit;
}

export interface Undone {
  readonly bytes: Buffer;
  /** The body was not in the encoding it announced. */
  readonly contradicted: boolean;
}

/**
 * @param encoding lower case, as announced; unknown ones count as 8bit
 * @param bytesMax at most so many bytes of the result; what goes beyond is not decoded
 */
export function undoTransfer(body: Buffer, encoding: string, bytesMax: number): Undone {
  if (encoding === "base64") return undoBase64(body, bytesMax);
  if (encoding === "quoted-printable") return { bytes: undoQuotedPrintable(body, bytesMax), contradicted: false };
  return { bytes: body.subarray(0, bytesMax), contradicted: false };
}

function undoBase64(body: Buffer, bytesMax: number): Undone {
  const start = firstInk(body);
  if (!looksBase64(beforeFooter(body.subarray(start, start + SAMPLE_BYTES)))) {
    return { bytes: body.subarray(0, bytesMax), contradicted: true };
  }
  // Line ends add 2 in 78; a quarter more than the result needs is always enough for mail, and bounds the work.
  const text = body.toString("latin1", start, start + Math.ceil((bytesMax * 4 * 1.1) / 3));
  return { bytes: joinBase64(text).subarray(0, bytesMax), contradicted: false };
}

/** Decodes up to the first padding; what follows it (a further block, a list's footer) only when it is base64 again. */
function joinBase64(text: string): Buffer {
  const end = text.indexOf("=");
  if (end < 0) return Buffer.from(text, "base64");
  const first = Buffer.from(text.slice(0, end), "base64");
  const rest = text.slice(end).replace(/^[=\s]+/, "");
  if (rest.length < 4 || !/^[A-Za-z0-9+/\r\n]+=*\s*$/.test(rest)) return first;
  return Buffer.concat([first, Buffer.from(rest, "base64")]);
}

function firstInk(body: Buffer): number {
  let at = 0;
  while (at < body.length && (body[at] ?? 0) <= 32) at += 1;
  return at;
}

/** A short text ends at its padding; what a mailing list put behind it is no part of it. */
function beforeFooter(sample: Buffer): Buffer {
  const padding = /^[A-Za-z0-9+/\r\n]{4,}={1,2}[ \t\r]*\n/.exec(sample.toString("latin1"));
  return padding ? sample.subarray(0, padding[0].length) : sample;
}

function looksBase64(sample: Buffer): boolean {
  let odd = 0;
  let blanks = 0;
  for (const byte of sample) {
    if (byte > 127) return false;
    if (byte === 32 || byte === 9) blanks += 1;
    else if (byte > 32 && !/[A-Za-z0-9+/=]/.test(String.fromCharCode(byte))) odd += 1;
  }
  return odd + blanks <= sample.length * 0.05;
}

function undoQuotedPrintable(body: Buffer, bytesMax: number): Buffer {
  const out = Buffer.allocUnsafe(Math.min(body.length, bytesMax));
  let at = 0;
  let from = 0;
  while (from < body.length && at < out.length) {
    const equals = body.indexOf(EQUALS, from);
    const until = equals < 0 ? body.length : equals;
    at += body.copy(out, at, from, Math.min(until, from + out.length - at));
    if (equals < 0 || at >= out.length) break;
    from = equals + 1;
    const high = HEX[body[from] ?? 0] ?? 255;
    const low = HEX[body[from + 1] ?? 0] ?? 255;
    if (high < 16 && low < 16) {
      out[at] = high * 16 + low;
      at += 1;
      from += 2;
    } else {
      const next = softBreakEnd(body, from);
      if (next > 0) from = next;
      else if (at < out.length) {
        out[at] = EQUALS;
        at += 1;
      }
    }
  }
  return out.subarray(0, at);
}

/** The offset after a soft line break whose `=` stands before `from` (blanks may precede the line end), or 0. */
function softBreakEnd(body: Buffer, from: number): number {
  let at = from;
  while (body[at] === 32 || body[at] === 9) at += 1;
  if (body[at] === 13) at += 1;
  if (body[at] === 10) return at + 1;
  return at >= body.length ? body.length : 0;
}
