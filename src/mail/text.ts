/**
 * From a mail's bytes to what its reader sees: the text of the parts that a mail program would show, decoded, HTML
 * reduced, invisible characters removed, with counts of what looked like hiding. One of two alternatives is taken, the
 * richer one, as mail programs do. Bounded for every input; never throws.
 */
import { readHtml } from "./html-text.ts";
import { decodeCharset } from "./mime-charset.ts";
import { undoTransfer } from "./mime-transfer.ts";
import { type Branch, type Leaf, type Part, walkMail } from "./mime-walk.ts";
import { cleanText } from "./text-clean.ts";

export interface MailText {
  /** The visible text of the body, lines separated by LF, NFKC. */
  readonly text: string;
  /** Alternative texts of pictures. */
  readonly alt: string;
  /** Link targets in HTML and web addresses in plain text, as written, at most 200. */
  readonly links: readonly string[];
  /** Pictures in HTML (counting pixels left out) and attached ones. */
  readonly images: number;
  readonly attachments: number;
  /** Letters that the HTML holds but does not show. */
  readonly hiddenChars: number;
  /** Invisible characters inside words. */
  readonly zeroWidth: number;
  /** Letters of another script or style that stand in for Latin ones. */
  readonly lookAlikes: number;
  /** There are pictures and hardly a word. */
  readonly imageOnly: boolean;
  readonly html: boolean;
  /** The mail goes on beyond what was read. */
  readonly truncated: boolean;
  /** Structures that contradict themselves: missing boundaries, wrong encodings, unbelievable charsets. */
  readonly broken: number;
}

/** A mail in which there is nothing to see. */
export const emptyText = (): MailText => ({
  text: "",
  alt: "",
  links: [],
  images: 0,
  attachments: 0,
  hiddenChars: 0,
  zeroWidth: 0,
  lookAlikes: 0,
  imageOnly: false,
  html: false,
  truncated: false,
  broken: 0,
});

export const TEXT_LIMITS = Object.freeze({
  /** Bytes of the mail that are looked at, from its start. */
  mailBytesMax: 1_048_576,
  /** Decoded bytes of text, all parts together. */
  textBytesMax: 196_608,
  /** Characters of visible text, all parts together. */
  textCharsMax: 65_536,
  linksMax: 200,
});

/** Visible characters up to which a mail with pictures counts as nothing but pictures. */
const IMAGE_ONLY_CHARS_MAX = 60;

interface Reading {
  readonly bytes: Buffer;
  readonly out: string[];
  readonly alt: string[];
  readonly links: string[];
  bytesLeft: number;
  charsLeft: number;
  images: number;
  attachments: number;
  hiddenChars: number;
  html: boolean;
  broken: number;
  truncated: boolean;
}

/**
 * Reads a whole mail, header block included.
 *
 * @param mail the mail, or at least its first `mailBytesMax` bytes; more is not looked at
 */
export function readText(mail: Buffer): MailText {
  const bytes = mail.subarray(0, TEXT_LIMITS.mailBytesMax);
  const walked = walkMail(bytes);
  const reading = startReading(bytes);
  reading.broken = walked.malformed;
  reading.truncated = walked.skipped > 0 || mail.length > bytes.length;
  readPart(reading, walked.root);
  return finish(reading);
}

const startReading = (bytes: Buffer): Reading => ({
  bytes,
  out: [],
  alt: [],
  links: [],
  bytesLeft: TEXT_LIMITS.textBytesMax,
  charsLeft: TEXT_LIMITS.textCharsMax,
  images: 0,
  attachments: 0,
  hiddenChars: 0,
  html: false,
  broken: 0,
  truncated: false,
});

function finish(reading: Reading): MailText {
  const body = cleanText(reading.out.join("\n"));
  const alt = cleanText(reading.alt.join(" "));
  // Folding may lengthen a text.
  const text = tidy(body.text).slice(0, TEXT_LIMITS.textCharsMax);
  const { links, images, attachments, hiddenChars, html, truncated, broken } = reading;
  return {
    text,
    alt: alt.text.trim(),
    links: links.length > 0 ? links : webAddresses(text),
    images,
    attachments,
    hiddenChars,
    zeroWidth: body.zeroWidth + alt.zeroWidth,
    lookAlikes: body.lookAlikes + alt.lookAlikes,
    imageOnly: images > 0 && text.length <= IMAGE_ONLY_CHARS_MAX,
    html,
    truncated,
    broken,
  };
}

/** Blanks and empty lines in a row count once. */
const tidy = (text: string): string =>
  text
    // A single blank is left alone: most of them are, and replacing each by itself takes longer than all the rest.
    .replace(/ [^\S\n]+|[^\S\n ][^\S\n]*/g, " ")
    .replace(/ ?\n ?(?:\n ?)*/g, "\n")
    .trim();

const webAddresses = (text: string): string[] => {
  const found: string[] = [];
  if (!text.includes("://") && !/www\./i.test(text)) return found;
  for (const match of text.matchAll(
    /\b(?:https?:\/\/|www\.)[^\s<>"'()\u3000-\u30ff\u4e00-\u9fff\uff00-\uffef]{3,2000}/gi,
  )) {
    found.push(match[0]);
    if (found.length >= TEXT_LIMITS.linksMax) break;
  }
  return found;
};

/** @returns whether there was anything to see */
function readPart(reading: Reading, part: Part): boolean {
  if (part.kind === "leaf") return readLeaf(reading, part);
  if (part.subtype === "alternative") return readAlternatives(reading, part);
  let seen = false;
  for (const child of part.children) seen = readPart(reading, child) || seen;
  return seen;
}

/** The last alternative that shows anything; the others are not shown (RFC 2046 5.1.4). */
function readAlternatives(reading: Reading, branch: Branch): boolean {
  for (let at = branch.children.length - 1; at >= 0; at -= 1) {
    const child = branch.children[at];
    if (child && readPart(reading, child)) return true;
  }
  return false;
}

function readLeaf(reading: Reading, leaf: Leaf): boolean {
  if (!isShown(leaf)) {
    if (leaf.type.startsWith("image/")) reading.images += 1;
    if (!leaf.type.startsWith("image/") || leaf.attached) reading.attachments += 1;
    return false;
  }
  if (reading.bytesLeft <= 0 || reading.charsLeft <= 0) {
    reading.truncated = true;
    return false;
  }
  const body = reading.bytes.subarray(leaf.start, leaf.end);
  const undone = undoTransfer(body, leaf.encoding, reading.bytesLeft);
  const decoded = decodeCharset(undone.bytes, leaf.charset);
  reading.bytesLeft -= undone.bytes.length;
  if (reading.bytesLeft <= 0) reading.truncated = true;
  if (undone.contradicted || (decoded.guessed && leaf.charset !== undefined)) reading.broken += 1;
  return isHtml(leaf, decoded.text) ? showHtml(reading, decoded.text) : showPlain(reading, decoded.text);
}

const isShown = (leaf: Leaf): boolean =>
  !leaf.attached &&
  (leaf.type === "text/plain" ||
    leaf.type === "text/html" ||
    leaf.type === "text/unknown" ||
    leaf.type === "text/enriched");

const isHtml = (leaf: Leaf, text: string): boolean =>
  leaf.type === "text/html" ||
  (leaf.type === "text/unknown" && /<(?:html|body|table|div|p|br)[\s>]/i.test(text.slice(0, 4000)));

function showPlain(reading: Reading, text: string): boolean {
  const shown = text.slice(0, reading.charsLeft).replace(/\r\n?/g, "\n");
  if (text.length > reading.charsLeft) reading.truncated = true;
  reading.charsLeft -= shown.length;
  reading.out.push(shown);
  return /\S/.test(shown);
}

function showHtml(reading: Reading, source: string): boolean {
  const seen = readHtml(source, reading.charsLeft);
  if (seen.text.length >= reading.charsLeft) reading.truncated = true;
  reading.html = true;
  reading.charsLeft -= seen.text.length;
  reading.out.push(seen.text);
  if (seen.alt !== "") reading.alt.push(seen.alt);
  for (const link of seen.links) if (reading.links.length < TEXT_LIMITS.linksMax) reading.links.push(link);
  reading.images += seen.images;
  reading.hiddenChars += seen.hiddenChars;
  return /\S/.test(seen.text) || seen.images > 0;
}
