/** Macro strings of SPF records (RFC 7208 7): read once with the record, written out for each mail. */
export type Piece = string | Macro;

export interface Macro {
  /** Lower case: s l o d i p h c r t v. */
  readonly letter: string;
  /** So many right-most parts; 0: all. */
  readonly keep: number;
  readonly reversed: boolean;
  readonly delimiters: string;
  readonly urlEscaped: boolean;
}

export type MacroString = readonly Piece[];

const MACRO = /^%\{([slodiphcrtv])(\d*)(r?)([.\-+,/_=]*)\}/i;
const ESCAPED: Readonly<Record<string, string>> = { "%%": "%", "%_": " ", "%-": "%20" };

/** Reads a macro string. undefined: a syntax error. @param explanation the letters c, r and t, and blanks, may stand in it */
export function parseMacros(text: string, { explanation }: { explanation: boolean }): MacroString | undefined {
  const pieces: Piece[] = [];
  let literal = "";
  for (let at = 0; at < text.length; ) {
    const char = text[at] as string;
    if (char !== "%") {
      if (char < "!" && !(explanation && char === " ")) return undefined;
      literal += char;
      at += 1;
      continue;
    }
    const plain = ESCAPED[text.slice(at, at + 2)];
    if (plain !== undefined) {
      literal += plain;
      at += 2;
      continue;
    }
    const match = MACRO.exec(text.slice(at, at + 40));
    const macro = match && macroOf(match, explanation);
    if (!macro) return undefined;
    if (literal !== "") pieces.push(literal);
    literal = "";
    pieces.push(macro);
    at += match[0].length;
  }
  if (literal !== "") pieces.push(literal);
  return pieces;
}

function macroOf(match: RegExpExecArray, explanation: boolean): Macro | undefined {
  const [, written = "", digits = "", reversed = "", delimiters = ""] = match;
  const letter = written.toLowerCase();
  const keep = digits === "" ? 0 : Number(digits);
  if ((digits !== "" && keep === 0) || (!explanation && "crt".includes(letter))) return undefined;
  return {
    letter,
    keep,
    reversed: reversed !== "",
    delimiters: delimiters || ".",
    urlEscaped: written !== letter,
  };
}

/** toplabel of RFC 7208 7.1: a letter or an inner hyphen in it, so that it is no number. */
const TOP_LABEL = /\.(?:[a-z0-9]*[a-z][a-z0-9]*|[a-z0-9]+-[a-z0-9-]*[a-z0-9])\.?$/i;

/** Reads a domain-spec: a macro string that ends in a macro or in a top label. */
export function parseDomainSpec(text: string): MacroString | undefined {
  const macros = parseMacros(text, { explanation: false });
  return macros && (/%(?:\{[^}]*\}|[%_-])$/.test(text) || TOP_LABEL.test(text)) ? macros : undefined;
}

/** Where the values come from; p costs questions and is asked only when it is there. */
export type Values = (letter: string) => string | Promise<string>;

/** Writes a macro string out. */
export async function expandMacros(macros: MacroString, values: Values): Promise<string> {
  let text = "";
  for (const piece of macros) {
    if (typeof piece === "string") text += piece;
    else text += transform(await values(piece.letter), piece);
  }
  return text;
}

function transform(value: string, { keep, reversed, delimiters, urlEscaped }: Macro): string {
  let out = value;
  if (keep > 0 || reversed || delimiters !== ".") {
    const parts = split(value, delimiters);
    if (reversed) parts.reverse();
    out = (keep > 0 ? parts.slice(-keep) : parts).join(".");
  }
  return urlEscaped ? escapeForUrl(out) : out;
}

function split(value: string, delimiters: string): string[] {
  const parts = [""];
  for (const char of value) {
    if (delimiters.includes(char)) parts.push("");
    else parts[parts.length - 1] += char;
  }
  return parts;
}

/** Everything but the unreserved characters of RFC 3986. */
const escapeForUrl = (text: string): string =>
  text.replace(/[^A-Za-z0-9\-._~]/g, (char) =>
    [...Buffer.from(char)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join(""),
  );
