/**
 * Bytes of a text part to characters. What a part says of its charset is often wrong or missing in real mail, so text
 * that does not fit its label is guessed once more: UTF-8, then GB18030, Big5 or Shift_JIS by the shape of the byte
 * pairs, then windows-1252. (A header is never guessed at: header-charset.ts says why.) Nothing here throws; what
 * cannot be read becomes U+FFFD.
 */
import { isAscii } from "node:buffer";
import { charsetName, decodeBytes } from "./header-charset.ts";

export interface Decoded {
  readonly text: string;
  /** The label was unknown or contradicted by the bytes. */
  readonly guessed: boolean;
}

/** Bytes looked at when guessing. */
const SAMPLE_BYTES = 8192;
/** Share of unreadable characters from which a label is not believed. */
const BROKEN_SHARE_MAX = 0.02;
/** Charsets whose text is made of bytes below 128. */
const SEVEN_BIT = /^(?:utf7|utf16|utf32|ucs|iso2022|hz)/;

/**
 * Decodes the bytes of a text.
 *
 * @param label the charset parameter as written, when there was one
 */
export function decodeCharset(bytes: Buffer, label: string | undefined): Decoded {
  const charset = label === undefined ? "unknown" : charsetName(label);
  if (isAscii(bytes) && !SEVEN_BIT.test(charset)) {
    const japanese = bytes.includes("\x1b$");
    return { text: japanese ? decodeBytes(bytes, "iso2022jp") : bytes.toString("latin1"), guessed: japanese };
  }
  if (charset !== "unknown") {
    const text = decodeBytes(bytes, charset);
    if (brokenShare(text) <= BROKEN_SHARE_MAX) return { text, guessed: false };
  }
  return { text: decodeBytes(bytes, guessCharset(bytes)), guessed: true };
}

function brokenShare(text: string): number {
  let broken = 0;
  for (let at = text.indexOf("\uFFFD"); at >= 0; at = text.indexOf("\uFFFD", at + 1)) broken += 1;
  return text.length === 0 ? 0 : broken / text.length;
}

/** The likeliest charset of 8-bit bytes without a believable label, as `decodeBytes` names it. */
export function guessCharset(bytes: Buffer): string {
  const sample = bytes.subarray(0, SAMPLE_BYTES);
  if (isMostlyUtf8(sample)) return "utf8";
  const pairs = countPairs(sample);
  if (pairs.high < 4 || (pairs.paired * 2) / (pairs.high + pairs.paired) < 0.9) return "windows1252";
  if (pairs.sjis > pairs.gb && pairs.sjis > pairs.big5) return "cp932";
  return pairs.big5 > pairs.gb ? "cp950" : "gb18030";
}

function isMostlyUtf8(sample: Buffer): boolean {
  const text = sample.toString("utf8");
  let read = 0;
  let broken = 0;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code === 0xfffd) broken += 1;
    else if (code > 127) read += 1;
  }
  return read > 0 && broken <= 1 + read * 0.02;
}

/**
 * Counts pairs by how common they are: GB2312 level 1 (B0-D7, A1-FE) against the frequent half of Big5 (A4-C6 with a
 * trail below 7F) and the kana of Shift_JIS (82 9F-F1, 83 40-96). `high` counts leads, paired or not.
 */
function countPairs(sample: Buffer): { high: number; paired: number; gb: number; big5: number; sjis: number } {
  const found = { high: 0, paired: 0, gb: 0, big5: 0, sjis: 0 };
  for (let i = 0; i < sample.length; i += 1) {
    const lead = sample[i] ?? 0;
    if (lead < 0x80) continue;
    found.high += 1;
    const trail = sample[i + 1] ?? 0;
    if (trail < 0x40 || trail === 0x7f || trail === 0xff) continue;
    found.paired += 1;
    if (lead >= 0xb0 && lead <= 0xd7 && trail >= 0xa1) found.gb += 1;
    else if (lead >= 0xa4 && lead <= 0xc6 && trail < 0x7f) found.big5 += 2;
    else if ((lead === 0x82 && trail >= 0x9f && trail <= 0xf1) || (lead === 0x83 && trail <= 0x96)) found.sjis += 2;
    i += 1;
  }
  return found;
}
