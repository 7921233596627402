/**
 * Character references of HTML: numeric ones, and the named ones that mail uses (all of Latin-1, for Vietnamese and
 * Western text, and the common punctuation). Unknown names stay as written, as browsers show them.
 */

/** U+00A0 to U+00FF in order. */
const LATIN1 =
  "nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 sup3 acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest " +
  "Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc Uuml Yacute THORN szlig " +
  "agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute thorn yuml";

const NAMED = new Map<string, string>(
  Object.entries({
    amp: "&",
    lt: "<",
    gt: ">",
    quot: '"',
    apos: "'",
    ensp: " ",
    emsp: " ",
    thinsp: " ",
    zwnj: "\u200c",
    zwj: "\u200d",
    lrm: "\u200e",
    rlm: "\u200f",
    ndash: "–",
    mdash: "—",
    lsquo: "‘",
    rsquo: "’",
    sbquo: "‚",
    ldquo: "“",
    rdquo: "”",
    bdquo: "„",
    bull: "•",
    hellip: "…",
    trade: "™",
    euro: "€",
    larr: "←",
    rarr: "→",
    uarr: "↑",
    darr: "↓",
    hearts: "♥",
    check: "✓",
    starf: "★",
    star: "☆",
    Abreve: "Ă",
    abreve: "ă",
    Dstrok: "Đ",
    dstrok: "đ",
    Itilde: "Ĩ",
    itilde: "ĩ",
    Utilde: "Ũ",
    utilde: "ũ",
    sdot: "⋅",
    minus: "−",
    infin: "∞",
    le: "≤",
    ge: "≥",
    ne: "≠",
    dagger: "†",
    permil: "‰",
    lsaquo: "‹",
    rsaquo: "›",
  }),
);
for (const [index, name] of LATIN1.split(" ").entries()) NAMED.set(name, String.fromCharCode(0xa0 + index));

const REFERENCE = /&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|([A-Za-z][A-Za-z0-9]{1,7}));?/g;

/** Replaces character references by their characters. */
export function decodeEntities(text: string): string {
  if (!text.includes("&")) return text;
  return text.replace(REFERENCE, (whole: string, decimal?: string, hex?: string, name?: string) => {
    if (name !== undefined) return NAMED.get(name) ?? whole;
    return fromCode(decimal === undefined ? Number.parseInt(hex ?? "", 16) : Number(decimal));
  });
}

function fromCode(code: number): string {
  if (code === 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return "\uFFFD";
  // HTML reads the C1 range as windows-1252; only the characters that mail has.
  return String.fromCodePoint(C1.get(code) ?? code);
}

const C1 = new Map<number, number>([
  [0x80, 0x20ac],
  [0x85, 0x2026],
  [0x91, 0x2018],
  [0x92, 0x2019],
  [0x93, 0x201c],
  [0x94, 0x201d],
  [0x95, 0x2022],
  [0x96, 0x2013],
  [0x97, 0x2014],
  [0x99, 0x2122],
]);
