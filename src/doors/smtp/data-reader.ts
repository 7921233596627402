import { LowBytes } from "../../kit/low-bytes.ts";
import type { ReplyId } from "../../mail/replies.ts";

const CR = 13;
const LF = 10;
const DOT = 46;

/** Bounds of one mail's text; bytes without the CRLF of the line. */
export interface DataBounds {
  readonly mailBytesMax: number;
  readonly lineBytesMax: number;
  readonly headerBytesMax: number;
  readonly headersMax: number;
}

/** Why a mail is refused whatever its content: the reply and the limit to name. */
export interface Defect {
  readonly reply: ReplyId;
  readonly detail?: string;
}

/**
 * Reads the text after DATA (RFC 5321 4.1.1.4, 4.5.2): finds the one line that ends it, takes the stuffed dots out and
 * watches the bounds, line by line, copying nothing. Only CRLF "." CRLF ends a mail, and a bare CR or LF anywhere makes it
 * refused: what another server might take for an end (SMTP smuggling) is never passed on.
 *
 * Pure: bytes in, slices out. After a defect nothing more is put out, but the end is still looked for.
 */
export class DataReader {
  defect: Defect | undefined;
  private readonly bounds: DataBounds;
  private readonly put: (slice: Buffer) => void;
  /** The unfinished last line, in the pieces it came in. */
  private carry: Buffer[] = [];
  private carryBytes = 0;
  /** The line before ended with CRLF; DATA's own line did. */
  private afterCrlf = true;
  private bytes = 0;
  private inHeader = true;
  private headerBytes = 0;
  private headers = 0;

  constructor(bounds: DataBounds, put: (slice: Buffer) => void) {
    this.bounds = bounds;
    this.put = put;
  }

  /** Takes what came off the wire. @returns what follows the mail once its end was seen, else undefined */
  feed(chunk: Buffer): Buffer | undefined {
    const linesEnd = chunk.lastIndexOf(LF) + 1;
    if (linesEnd === 0) {
      this.keep(chunk);
      return undefined;
    }
    let from = 0;
    if (this.carry.length > 0) {
      // Only the line that was cut is put together.
      from = chunk.indexOf(LF) + 1;
      const line = Buffer.concat([...this.carry, chunk.subarray(0, from)]);
      this.carry = [];
      this.carryBytes = 0;
      if (this.walk(line) !== undefined) return chunk.subarray(from);
    }
    const end = this.walk(chunk.subarray(from, linesEnd));
    if (end !== undefined) return chunk.subarray(from + end);
    if (linesEnd < chunk.length) this.keep(chunk.subarray(linesEnd));
    return undefined;
  }

  /** A line longer than its bound is not kept: only that it goes on. */
  private keep(piece: Buffer): void {
    this.carryBytes += piece.length;
    if (this.carryBytes > this.bounds.lineBytesMax + 2) {
      this.fail("line-too-long", `${this.bounds.lineBytesMax} bytes`);
      // The last two bytes are enough to see how the line ends; it is longer than "." anyway.
      const tail = Buffer.concat([...this.carry, piece]).subarray(-2);
      this.carry = [Buffer.from([0]), Buffer.from(tail)];
      return;
    }
    this.carry.push(piece);
  }

  /** Walks complete lines. @returns the offset after the line that ends the mail */
  private walk(lines: Buffer): number | undefined {
    const low = new LowBytes(lines);
    let from = 0;
    let at = 0;
    while (at < lines.length) {
      const lf = this.endOfLine(lines, low, at);
      // CR CR LF ends a line for some servers and for others it does not: nothing may end after it.
      const crlf = lf > at && lines[lf - 1] === CR && lines[lf - 2] !== CR;
      if (crlf && lf === at + 2 && lines[at] === DOT && this.afterCrlf) {
        this.emit(lines, from, at);
        return lf + 1;
      }
      if (!crlf) this.fail("bare-newline");
      if (lines[at] === DOT) {
        this.emit(lines, from, at);
        from = at + 1;
      }
      this.checkLine(lines, at, lf);
      this.afterCrlf = crlf;
      at = lf + 1;
    }
    this.emit(lines, from, lines.length);
    return undefined;
  }

  /** @returns where the LF is that ends the line, which there is; a CR that stands elsewhere than before it is a defect */
  private endOfLine(lines: Buffer, low: LowBytes, at: number): number {
    let place = low.next(at);
    while (lines[place] !== LF) {
      if (lines[place] === CR) {
        if (lines[place + 1] === LF) return place + 1;
        this.fail("bare-newline");
      }
      place = low.next(place + 1);
    }
    return place;
  }

  private checkLine(lines: Buffer, at: number, lf: number): void {
    if (lf - at - 1 > this.bounds.lineBytesMax) this.fail("line-too-long", `${this.bounds.lineBytesMax} bytes`);
    if (!this.inHeader) return;
    this.headerBytes += lf + 1 - at;
    if (this.headerBytes > this.bounds.headerBytesMax)
      this.fail("header-too-large", `${this.bounds.headerBytesMax} bytes`);
    const first = lines[at];
    if (first === CR || first === LF) this.inHeader = false;
    else if (first !== 32 && first !== 9) this.headers += 1;
    if (this.headers > this.bounds.headersMax) this.fail("too-many-headers", `${this.bounds.headersMax} fields`);
  }

  private emit(lines: Buffer, from: number, to: number): void {
    if (from >= to) return;
    this.bytes += to - from;
    if (this.bytes > this.bounds.mailBytesMax) this.fail("mail-too-large", `${this.bounds.mailBytesMax} bytes`);
    const slice = lines.subarray(from, to);
    // Servers that drop NUL would see another mail than we do, and perhaps its end (CRLF NUL "." CRLF).
    if (!this.defect && slice.includes(0)) this.fail("nul-byte");
    if (!this.defect) this.put(slice);
  }

  /** The first defect is the one the client hears. */
  private fail(reply: ReplyId, detail?: string): void {
    this.defect ??= { reply, ...(detail !== undefined && { detail }) };
  }
}
