/**
 * Is an HTML element shown? Read from its own attributes only (inline style, `hidden`, colours), inherited by what it
 * encloses. Style sheets are not applied: a mail that hides text by class is read as if it showed it.
 */

/** What an element passes on to its children. */
export interface Look {
  readonly hidden: boolean;
  /** 24-bit RGB of the text. */
  readonly ink: number;
  /** 24-bit RGB behind it; undefined when it is a picture or unknown. */
  readonly paper: number | undefined;
}

export const PAGE: Look = Object.freeze({ hidden: false, ink: 0x000000, paper: 0xffffff });

const HIDING =
  /display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|mso-hide\s*:\s*all|font(?:-size)?\s*:\s*(?:(?:0(?:\.\d+)?|1)(?:px|pt)|0(?:\.0\d*)?(?:r?em|%)?)\s*(?:!important\s*)?(?:[;"'\s]|$)|opacity\s*:\s*0(?:\.0\d*)?\s*(?:!important\s*)?(?:[;"']|$)|max-height\s*:\s*0|text-indent\s*:\s*-\d{3}/i;
const HIDDEN_WORD = /\shidden(?=[\s>=/]|$)/i;
const QUOTED = /=\s{0,8}(?:"[^"]*"|'[^']*')/g;
const INK = /(?:[\s;"']color\s*[:=]\s*["']?)\s{0,8}(#[0-9a-f]{3,8}|rgba?\([\d\s.,]{5,24}\)|[a-z]{3,12})/i;
const PAPER =
  /(?:background(?:-color)?\s*:|bgcolor\s*=\s*["']?)\s{0,8}(#[0-9a-f]{3,8}|rgba?\([\d\s.,]{5,24}\)|[a-z]{3,12})/i;
const PICTURE = /background(?:-image)?\s*[:=]\s*["']?(?:[^;"']{0,40}\s)?(?:url|https?:|cid:|linear-gradient)/i;

/** Largest distance in each channel at which ink counts as invisible on its paper. */
const CHANNEL_GAP = 12;

const NAMES: Readonly<Record<string, number>> = {
  white: 0xffffff,
  black: 0,
  red: 0xff0000,
  green: 0x008000,
  blue: 0x0000ff,
  yellow: 0xffff00,
  gray: 0x808080,
  grey: 0x808080,
  silver: 0xc0c0c0,
  navy: 0x000080,
  maroon: 0x800000,
  purple: 0x800080,
  orange: 0xffa500,
  snow: 0xfffafa,
  ivory: 0xfffff0,
  whitesmoke: 0xf5f5f5,
  ghostwhite: 0xf8f8ff,
  floralwhite: 0xfffaf0,
};

/** The look of an element inside another one, by the text of its start tag. */
export function lookOf(tag: string, parent: Look): Look {
  if (!/[\s"';](?:style|hidden|bgcolor|color|background)/i.test(tag)) return parent;
  const ink = parseColour(INK.exec(tag)?.[1]) ?? parent.ink;
  const paper = PICTURE.test(tag) ? undefined : (parseColour(PAPER.exec(tag)?.[1]) ?? parent.paper);
  const hidden = parent.hidden || HIDING.test(tag) || hasHiddenAttribute(tag);
  return { hidden, ink, paper };
}

/** The word may also stand inside a value: `overflow: hidden !important`. */
const hasHiddenAttribute = (tag: string): boolean =>
  HIDDEN_WORD.test(tag) && HIDDEN_WORD.test(tag.replace(QUOTED, "="));

/** Text of this look cannot be seen. */
export const isUnseen = (look: Look): boolean =>
  look.hidden || (look.paper !== undefined && isNear(look.ink, look.paper));

function isNear(a: number, b: number): boolean {
  const gap = (shift: number): number => Math.abs(((a >> shift) & 255) - ((b >> shift) & 255));
  return gap(16) <= CHANNEL_GAP && gap(8) <= CHANNEL_GAP && gap(0) <= CHANNEL_GAP;
}

function parseColour(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (text.startsWith("#")) return parseHex(text.slice(1));
  if (/^rgb/i.test(text)) return parseRgb(text);
  return NAMES[text.toLowerCase()];
}

function parseHex(digits: string): number | undefined {
  const long = digits.length === 3 ? digits.replace(/./g, "$&$&") : digits.slice(0, 6);
  return long.length === 6 ? Number.parseInt(long, 16) : undefined;
}

function parseRgb(text: string): number | undefined {
  const parts = text.match(/\d+/g)?.map(Number) ?? [];
  const [red = 256, green = 256, blue = 256] = parts;
  return red < 256 && green < 256 && blue < 256 ? red * 65536 + green * 256 + blue : undefined;
}
