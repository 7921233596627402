/**
 * The parts of a mail as a bounded tree of offsets (RFC 2045, 2046), nothing decoded and nothing copied. Written for
 * mail as it is: a multipart without a single boundary line is one text, a missing end closes with its parent, and
 * whatever passes a limit is left unread and said so.
 */
export interface Leaf {
  readonly kind: "leaf";
  /** Lower case `type/subtype`. */
  readonly type: string;
  readonly charset: string | undefined;
  /** Lower case Content-Transfer-Encoding; "" when none was given. */
  readonly encoding: string;
  readonly attached: boolean;
  readonly start: number;
  readonly end: number;
}

export interface Branch {
  readonly kind: "branch";
  /** Lower case subtype: mixed, alternative, related, digest …; `message` for an enclosed mail. */
  readonly subtype: string;
  readonly children: readonly Part[];
}

export type Part = Leaf | Branch;

export interface Walked {
  readonly root: Part;
  /** Parts left unread because a limit was reached. */
  readonly skipped: number;
  /** Multiparts without boundary lines or without an end. */
  readonly malformed: number;
}

export const WALK_LIMITS = Object.freeze({
  depthMax: 12,
  partsMax: 256,
  /** Bytes of the mail's own header block that are read, and of that of a part. */
  headerBytesMax: 131_072,
  partHeaderBytesMax: 8_192,
  /** Lines that begin like a boundary and are none, before a multipart is given up. */
  falseBoundariesMax: 5_000,
});

interface Walk {
  readonly bytes: Buffer;
  parts: number;
  skipped: number;
  malformed: number;
  tries: number;
}

interface Span {
  readonly start: number;
  readonly end: number;
}

/** Splits a mail, header block included. Never throws; time is linear in the bytes times `depthMax` at worst. */
export function walkMail(bytes: Buffer): Walked {
  const walk: Walk = { bytes, parts: 0, skipped: 0, malformed: 0, tries: 0 };
  const root = readEntity(walk, { start: 0, end: bytes.length }, { depth: 0, type: "text/plain" });
  return { root, skipped: walk.skipped, malformed: walk.malformed };
}

interface Place {
  readonly depth: number;
  /** The type of a part that names none. */
  readonly type: string;
}

function readEntity(walk: Walk, span: Span, place: Place): Part {
  walk.parts += 1;
  const body = bodyStart(walk.bytes, span, place.depth);
  const header = walk.bytes.toString("latin1", span.start, body);
  const named = parseType(fieldOf(header, FIELDS.type), place.type);
  const leaf: Leaf = {
    kind: "leaf",
    type: named.type,
    charset: named.charset,
    encoding: fieldOf(header, FIELDS.encoding).trim().toLowerCase(),
    attached: /^\s*attachment\b/i.test(fieldOf(header, FIELDS.disposition)),
    start: body,
    end: span.end,
  };
  return readInside(walk, leaf, { boundary: named.boundary, depth: place.depth });
}

/** The topmost field of a name with its continuation lines. */
const FIELDS = {
  type: /^content-type[ \t]*:([^\n]*(?:\n[ \t][^\n]*){0,30})/im,
  encoding: /^content-transfer-encoding[ \t]*:([^\n]*)/im,
  disposition: /^content-disposition[ \t]*:([^\n]*)/im,
} as const;

const fieldOf = (header: string, field: RegExp): string => field.exec(header)?.[1] ?? "";

function readInside(walk: Walk, leaf: Leaf, inside: { boundary: string | undefined; depth: number }): Part {
  const composite =
    leaf.type.startsWith("multipart/") || leaf.type === "message/rfc822" || leaf.type === "message/global";
  if (!composite) return leaf;
  if (inside.depth >= WALK_LIMITS.depthMax) {
    walk.skipped += 1;
    return { ...leaf, type: "application/octet-stream" };
  }
  const depth = inside.depth + 1;
  if (leaf.type.startsWith("message/")) {
    if (leaf.attached) return leaf;
    if (leaf.encoding === "base64" || leaf.encoding === "quoted-printable")
      return { ...leaf, type: "application/octet-stream" };
    return { kind: "branch", subtype: "message", children: [readEntity(walk, leaf, { depth, type: "text/plain" })] };
  }
  const spans = inside.boundary ? splitAt(walk, leaf, inside.boundary) : [];
  if (spans.length === 0) {
    walk.malformed += 1;
    return { ...leaf, type: "text/unknown" };
  }
  const type = leaf.type === "multipart/digest" ? "message/rfc822" : "text/plain";
  const children: Part[] = [];
  for (const span of spans) {
    if (walk.parts >= WALK_LIMITS.partsMax) walk.skipped += 1;
    else children.push(readEntity(walk, span, { depth, type }));
  }
  return { kind: "branch", subtype: leaf.type.slice(10), children };
}

/** Offset of the first byte after the empty line; what has none within the limit is all body, or all header when short. */
function bodyStart(bytes: Buffer, span: Span, depth: number): number {
  const max = depth === 0 ? WALK_LIMITS.headerBytesMax : WALK_LIMITS.partHeaderBytesMax;
  const block = bytes.subarray(span.start, Math.min(span.end, span.start + max));
  if (block[0] === 10) return span.start + 1;
  if (block[0] === 13 && block[1] === 10) return span.start + 2;
  const crlf = block.indexOf("\n\r\n");
  const lf = (crlf < 0 ? block : block.subarray(0, crlf)).indexOf("\n\n");
  if (lf >= 0) return span.start + lf + 2;
  if (crlf >= 0) return span.start + crlf + 3;
  return block.length < max ? span.end : span.start + max;
}

/** The spans between the boundary lines; empty when there is no such line. */
function splitAt(walk: Walk, body: Span, boundary: string): Span[] {
  const spans: Span[] = [];
  const needle = Buffer.from(`--${boundary}`, "latin1");
  const bytes = walk.bytes.subarray(0, body.end);
  let open = -1;
  let from = body.start;
  while (walk.tries < WALK_LIMITS.falseBoundariesMax && spans.length <= WALK_LIMITS.partsMax) {
    const at = bytes.indexOf(needle, from);
    if (at < 0) break;
    from = at + needle.length;
    const line = boundaryLine(bytes, { start: at, end: from });
    if (at > body.start && bytes[at - 1] !== 10) walk.tries += 1;
    else if (line === "false") walk.tries += 1;
    else {
      if (open >= 0) spans.push({ start: open, end: beforeLineEnd(bytes, open, at) });
      open = line === "end" ? -1 : nextLine(bytes, from, body.end);
      if (line === "end") return spans;
    }
  }
  if (open >= 0 && open <= body.end) {
    walk.malformed += 1;
    spans.push({ start: open, end: body.end });
  }
  return spans;
}

/** What stands behind the boundary text on its line: nothing but blanks (a new part), `--` (the end), or other text. */
function boundaryLine(bytes: Buffer, found: Span): "next" | "end" | "false" {
  let at = found.end;
  const end = bytes[at] === 45 && bytes[at + 1] === 45;
  if (end) return "end";
  while (bytes[at] === 32 || bytes[at] === 9) at += 1;
  return at >= bytes.length || bytes[at] === 13 || bytes[at] === 10 ? "next" : "false";
}

function nextLine(bytes: Buffer, from: number, end: number): number {
  const lf = bytes.indexOf(10, from);
  return lf < 0 || lf >= end ? end : lf + 1;
}

/** The line end before a boundary belongs to the boundary (RFC 2046 5.1.1). */
function beforeLineEnd(bytes: Buffer, start: number, at: number): number {
  let end = at;
  if (end > start && bytes[end - 1] === 10) end -= 1;
  if (end > start && bytes[end - 1] === 13) end -= 1;
  return end;
}

/** Characters of a Content-Type value that are read. */
const TYPE_CHARS_MAX = 1000;

interface NamedType {
  readonly type: string;
  readonly charset: string | undefined;
  readonly boundary: string | undefined;
}

function parseType(value: string, fallback: string): NamedType {
  const text = value.slice(0, TYPE_CHARS_MAX);
  const type = /^\s*([a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+)/i.exec(text)?.[1]?.toLowerCase();
  return { type: type ?? fallback, charset: parameter(text, "charset"), boundary: parameter(text, "boundary") };
}

const PARAMETERS = {
  charset: /;\s*charset\*?\s*=\s*(?:"([^"]*)"?|([^\s;"]+))/i,
  boundary: /;\s*boundary\s*=\s*(?:"([^"]*)"?|([^\s;"]+))/i,
} as const;

function parameter(text: string, name: keyof typeof PARAMETERS): string | undefined {
  const match = PARAMETERS[name].exec(text);
  const value = (match?.[1] ?? match?.[2] ?? "").trim();
  return value === "" ? undefined : value;
}
