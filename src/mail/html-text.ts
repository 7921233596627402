/**
 * HTML reduced to what a reader sees, in one pass over the source: text of shown elements with line breaks where blocks
 * end, the targets of links, pictures and their alternative text, and how much text was there that nobody sees. No tree
 * is built; time is linear in the source, and unclosed tags, quotes and comments cost one look each.
 */
import { decodeEntities } from "./html-entities.ts";
import { isUnseen, type Look, lookOf, PAGE } from "./html-style.ts";

export interface HtmlText {
  readonly text: string;
  /** Alternative texts of pictures, as shown where pictures are not loaded. */
  readonly alt: string;
  /** Letters and other ink in elements that are not shown. */
  readonly hiddenChars: number;
  readonly links: readonly string[];
  readonly images: number;
}

export const HTML_LIMITS = Object.freeze({
  /** Elements open at the same time whose look is remembered. */
  depthMax: 200,
  linksMax: 200,
  /** Characters of one tag that are looked at (a picture inside its own tag may be megabytes). */
  tagCharsMax: 4_096,
  altCharsMax: 4_000,
});

/** Elements whose content is no text for the reader. */
const SILENT = new Set([
  "script",
  "style",
  "title",
  "noscript",
  "template",
  "object",
  "select",
  "textarea",
  "svg",
  "math",
  "xml",
  "iframe",
]);
const VOID = new Set([
  "area",
  "base",
  "br",
  "col",
  "embed",
  "hr",
  "img",
  "input",
  "link",
  "meta",
  "param",
  "source",
  "track",
  "wbr",
]);
const BLOCKS = new Set(
  "address article aside blockquote body br center dd div dl dt fieldset figure footer form h1 h2 h3 h4 h5 h6 header hr li main nav ol p pre section table tbody tr ul".split(
    " ",
  ),
);
const CELLS = new Set(["td", "th", "option"]);

interface Open {
  readonly name: string;
  readonly look: Look;
}

interface Scan {
  readonly source: string;
  readonly out: string[];
  readonly alt: string[];
  readonly links: string[];
  readonly open: Open[];
  chars: number;
  altChars: number;
  hiddenChars: number;
  images: number;
  /** Where each text searched for was found last, or that it is nowhere from here to the end. */
  readonly found: Map<string, number>;
}

/**
 * @param charsMax at most so many characters of text come back; the source beyond is not read
 */
export function readHtml(source: string, charsMax: number): HtmlText {
  const scan: Scan = {
    source,
    out: [],
    alt: [],
    links: [],
    open: [],
    chars: 0,
    altChars: 0,
    hiddenChars: 0,
    images: 0,
    found: new Map(),
  };
  let at = 0;
  while (at < source.length && scan.chars < charsMax) {
    const tag = find(scan, "<", at);
    const until = tag < 0 ? source.length : tag;
    if (until > at) takeText(scan, source.slice(at, until));
    if (tag < 0) break;
    at = readMarkup(scan, tag);
  }
  const text = scan.out.join("").slice(0, charsMax);
  return { text, alt: scan.alt.join(" "), hiddenChars: scan.hiddenChars, links: scan.links, images: scan.images };
}

/**
 * indexOf for a reader that only goes on: what was found ahead or found nowhere is not searched again, so that a source
 * full of unclosed things stays linear.
 */
function find(scan: Scan, what: string, from: number): number {
  const last = scan.found.get(what);
  if (last !== undefined && (last < 0 || last >= from)) return last;
  const at = scan.source.indexOf(what, from);
  scan.found.set(what, at);
  return at;
}

const lookNow = (scan: Scan): Look => scan.open.at(-1)?.look ?? PAGE;

const takeText = (scan: Scan, raw: string): void => takeFolded(scan, decodeEntities(raw).replace(/[ \t\r\n\f]+/g, " "));

function takeFolded(scan: Scan, text: string): void {
  if (isUnseen(lookNow(scan))) {
    scan.hiddenChars += inkOf(text);
    return;
  }
  scan.out.push(text);
  scan.chars += text.length;
}

function inkOf(text: string): number {
  let ink = 0;
  for (const run of text.match(/[\p{L}\p{N}]+/gu) ?? []) ink += run.length;
  return ink;
}

/** Reads one tag, comment or declaration at `at` (a `<`). @returns the offset after it */
function readMarkup(scan: Scan, at: number): number {
  const { source } = scan;
  if (source.startsWith("<!--", at)) {
    const end = find(scan, "-->", at + 2);
    return end < 0 ? afterAngle(scan, at) : end + 3;
  }
  const name = nameAt(source, at + (source[at + 1] === "/" ? 2 : 1));
  if (name === "") {
    const next = source[at + 1];
    if (next === "!" || next === "?" || next === "/") return afterAngle(scan, at);
    return takeAngles(scan, at);
  }
  const end = tagEnd(scan, at);
  if (BLOCKS.has(name)) breakLine(scan, "\n");
  else if (CELLS.has(name)) breakLine(scan, " ");
  if (source[at + 1] === "/") closeElement(scan, name);
  else return openElement(scan, { name, tag: source.slice(at, Math.min(end, at + HTML_LIMITS.tagCharsMax)), end });
  return end;
}

function breakLine(scan: Scan, mark: string): void {
  if (isUnseen(lookNow(scan))) return;
  scan.out.push(mark);
  scan.chars += 1;
}

/** A `<` that begins nothing is text, and so are those right behind it but the last, which may begin something. @returns the offset after them */
function takeAngles(scan: Scan, at: number): number {
  let end = at + 1;
  while (scan.source[end] === "<" && scan.source[end + 1] === "<") end += 1;
  takeFolded(scan, scan.source.slice(at, end));
  return end;
}

const NAME_CHARS_MAX = 12;

function nameAt(source: string, at: number): string {
  if (!isLetter(source.charCodeAt(at))) return "";
  let end = at + 1;
  while (end < at + NAME_CHARS_MAX && isLetterOrDigit(source.charCodeAt(end))) end += 1;
  return source.slice(at, end).toLowerCase();
}

const CASE_BIT = 32;
const isLetter = (code: number): boolean => (code | CASE_BIT) >= 97 && (code | CASE_BIT) <= 122;
const isLetterOrDigit = (code: number): boolean => isLetter(code) || (code >= 48 && code <= 57);

function afterAngle(scan: Scan, at: number): number {
  const end = find(scan, ">", at);
  return end < 0 ? scan.source.length : end + 1;
}

/** The offset after the `>` that ends a tag, quoted attribute values skipped. */
function tagEnd(scan: Scan, at: number): number {
  const { source } = scan;
  let from = at + 1;
  for (;;) {
    const angle = find(scan, ">", from);
    if (angle < 0) return source.length;
    const quote = firstQuote(source, from, angle);
    if (quote < 0) return angle + 1;
    const close = find(scan, source[quote] ?? "", quote + 1);
    if (close < 0) return angle + 1;
    from = close + 1;
  }
}

/** The first quote that opens an attribute value (it follows `=`) between two offsets, or -1. */
function firstQuote(source: string, from: number, to: number): number {
  for (let at = from; at < to; at += 1) {
    const code = source.charCodeAt(at);
    if ((code === 34 || code === 39) && /=\s*$/.test(source.slice(Math.max(from, at - 4), at))) return at;
  }
  return -1;
}

function openElement(scan: Scan, element: { name: string; tag: string; end: number }): number {
  const { name, tag, end } = element;
  const look = lookOf(tag, lookNow(scan));
  const closed = scan.source[end - 2] === "/";
  if (name === "img") takeImage(scan, tag, look);
  else if (name === "a" || name === "area" || name === "form") takeLink(scan, tag);
  if (SILENT.has(name)) return closed ? end : afterSilent(scan, name, end);
  if (!VOID.has(name) && !closed && scan.open.length < HTML_LIMITS.depthMax) scan.open.push({ name, look });
  return end;
}

/** Closes the innermost element of that name; one that is not open closes nothing. */
function closeElement(scan: Scan, name: string): void {
  for (let at = scan.open.length - 1; at >= 0; at -= 1) {
    if (scan.open[at]?.name !== name) continue;
    scan.open.length = at;
    return;
  }
}

function afterSilent(scan: Scan, name: string, from: number): number {
  const mark = `</${name}`;
  if (scan.found.get(mark) === -1) return from;
  const pattern = new RegExp(`</${name}`, "gi");
  pattern.lastIndex = from;
  const found = pattern.exec(scan.source);
  if (found) return afterAngle(scan, found.index);
  scan.found.set(mark, -1);
  return from;
}

const ALT = /\salt\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"']+))/i;
const TARGET = /\s(?:href|action)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"']+))/i;
/** Both sides at most 2 pixels: a counting picture, not one to look at. */
const PIXEL = /\s(?:width|height)\s*=\s*["']?[012](?:px)?["'\s/>]/i;

function takeImage(scan: Scan, tag: string, look: Look): void {
  if (look.hidden || PIXEL.test(tag)) return;
  scan.images += 1;
  const match = ALT.exec(tag);
  const alt = match?.[1] ?? match?.[2] ?? match?.[3] ?? "";
  if (alt === "" || scan.altChars > HTML_LIMITS.altCharsMax) return;
  scan.alt.push(decodeEntities(alt.slice(0, 500)));
  scan.altChars += Math.min(alt.length, 500);
}

function takeLink(scan: Scan, tag: string): void {
  if (scan.links.length >= HTML_LIMITS.linksMax) return;
  const match = TARGET.exec(tag);
  const target = (match?.[1] ?? match?.[2] ?? match?.[3] ?? "").trim();
  if (target !== "" && !target.startsWith("#")) scan.links.push(decodeEntities(target.slice(0, 2000)));
}
