import type { Address } from "./address.ts";
import { skipComment, withoutComments } from "./comments.ts";
import { decodeEncodedWords } from "./encoded-words.ts";
import type { Headers } from "./headers.ts";
import { parseAddress } from "./path.ts";

/** What an address header (From, Sender, To …) names. */
export interface Mailboxes {
  /** Every address that some reader's program may take from it. */
  readonly addresses: readonly Address[];
  /** Something stood where an address should, and could not be read as one. */
  readonly unreadable: boolean;
  /** What could not be read holds an `@`: a reader may see an author there whom we do not. */
  readonly obscured: boolean;
}

/** Most mailboxes read of one field; what comes behind them counts as what could not be read. */
const MAILBOXES_MAX = 5_000;

/** `a@b` or `Some Words <a@b>`, ASCII, with no sign that needs a closer look: nearly every From there is. */
const PLAIN = /^(?:[\w .+-]*<([\w.+-]+@[\w.-]+)>|([\w.+-]+@[\w.-]+))$/;

/**
 * Reads the addresses of an address header (RFC 5322 3.4, 4.4): display names, quoted strings, nested comments, groups, blanks
 * around `@` and `.`. One pass, linear in the length; what a display name pretends to be is never taken for an address.
 *
 * @param value unfolded value, one character a byte (Field.value)
 */
export function parseMailboxes(value: string): Mailboxes {
  const plain = PLAIN.exec(value);
  const only = plain && parseAddress(plain[1] ?? plain[2] ?? "");
  if (only) return { addresses: [only], unreadable: false, obscured: false };
  const addresses: Address[] = [];
  let unreadable = false;
  let obscured = false;
  const { found, rest } = splitMailboxes(Buffer.from(value, "latin1").toString("utf8"));
  for (const part of found) {
    // Of many parts that hold no address nothing more need be known.
    const address = part.includes("@") ? parseAddress(tidy(part)) : undefined;
    if (address) addresses.push(address);
    else {
      unreadable = true;
      obscured ||= part.includes("@") || (part.includes("=?") && decodeEncodedWords(part).includes("@"));
    }
  }
  return { addresses, unreadable: unreadable || rest !== "", obscured: obscured || rest.includes("@") };
}

/** An address without what may stand inside it and means nothing: comments, blanks around `@` and `.`, the root's dot. */
function tidy(text: string): string {
  if (text.includes('"') || !/[\s()]|\.$/.test(text)) return text;
  const plain = withoutComments(text);
  return withoutBlanksAround(withoutBlanksAround(plain, "@"), ".").replace(/\.$/, "");
}

const withoutBlanksAround = (text: string, sign: string): string =>
  text
    .split(sign)
    .map((part) => part.trim())
    .join(sign);

const read = new WeakMap<Headers, Map<string, readonly Mailboxes[]>>();

/** What each field of one name says, top first. Read once: several rules ask for the same. */
export function mailboxesIn(headers: Headers, name: string): readonly Mailboxes[] {
  let known = read.get(headers);
  if (!known) {
    known = new Map();
    read.set(headers, known);
  }
  let fields = known.get(name);
  if (!fields) {
    fields = headers.all(name).map(parseMailboxes);
    known.set(name, fields);
  }
  return fields;
}

/** The addresses of all fields of one name. */
export const addressesIn = (headers: Headers, name: string): readonly Address[] =>
  mailboxesIn(headers, name).flatMap(({ addresses }) => addresses);

interface Scan {
  /** Text outside comments and brackets of the mailbox being read, since its last bracket; a quoted string keeps its quotes. */
  text: string;
  /** What stood in angle brackets: one, unless somebody wants to be read in two ways. */
  angles: string[];
  found: string[];
}

const SPECIAL = new Set(['"', "(", "<", ",", ";", ":"].map((sign) => sign.charCodeAt(0)));

const isSeparator = (code: number): boolean => code === 0x2c || code === 0x3b;

/** Where the next sign stands that means something here. */
function nextSpecial(value: string, from: number): number {
  let at = from;
  while (at < value.length && !SPECIAL.has(value.charCodeAt(at))) at += 1;
  return at;
}

/**
 * Cuts at the commas, semicolons and group colons that are not quoted, commented or in angle brackets.
 *
 * @returns the mailboxes found, and what stands behind the last that may be
 */
function splitMailboxes(value: string): { readonly found: readonly string[]; readonly rest: string } {
  const scan: Scan = { text: "", angles: [], found: [] };
  let at = 0;
  while (at < value.length && scan.found.length < MAILBOXES_MAX) {
    const char = value[at] as string;
    if (char === '"') at = takeQuoted(scan, value, at);
    else if (char === "(") at = skipComment(value, at);
    else if (char === "<") at = takeAngle(scan, value, at);
    else {
      if (char === "," || char === ";") {
        finish(scan);
        // As many as there are: a field may have hundreds of thousands.
        while (isSeparator(value.charCodeAt(at + 1))) at += 1;
      } else if (char === ":" && scan.angles.length === 0) scan.text = "";
      else scan.text += char;
      const next = nextSpecial(value, at + 1);
      // What means nothing here is taken together.
      if (next > at + 1) scan.text += value.slice(at + 1, next);
      at = next;
    }
  }
  finish(scan);
  return { found: scan.found, rest: value.slice(at) };
}

/** `<a@b> c@d` is an address to some programs and its display name to others: both are taken. */
function finish(scan: Scan): void {
  if (scan.text === "" && scan.angles.length === 0) return;
  const text = scan.text.trim();
  for (const angle of scan.angles) if (angle !== "") scan.found.push(withoutRoute(angle));
  if (text !== "" && (scan.angles.length === 0 || text.includes("@"))) scan.found.push(withoutRoute(text));
  scan.text = "";
  scan.angles = [];
}

/** RFC 5322 4.4, obs-route. */
const withoutRoute = (text: string): string => (text.startsWith("@") ? text.replace(/^@[^:"]*:/, "") : text);

function takeQuoted(scan: Scan, value: string, start: number): number {
  let at = start + 1;
  while (at < value.length && value[at] !== '"') at += value[at] === "\\" ? 2 : 1;
  scan.text += value.slice(start, at + 1);
  return at + 1;
}

function takeAngle(scan: Scan, value: string, start: number): number {
  scan.text = "";
  const quoted = /^<\s*("(?:[^"\\]|\\.)*"@[^<>\s]*)\s*>/su.exec(value.slice(start, start + 600));
  if (quoted) {
    scan.angles.push(quoted[1] ?? "");
    return start + quoted[0].length;
  }
  const end = value.indexOf(">", start);
  const stop = end < 0 ? value.length : end;
  scan.angles.push(value.slice(start + 1, stop).trim());
  return stop + 1;
}
