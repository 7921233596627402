import { CHUNK_BYTES_MAX, SMFIF, SMFIR } from "./constants.ts";
import { encodeFrame, printable, uint32 } from "./frames.ts";

/** What each edit needs to have been negotiated. */
export const EDIT_BITS = {
  addHeader: SMFIF.ADDHDRS,
  changeHeader: SMFIF.CHGHDRS,
  changeSender: SMFIF.CHGFROM,
  addRecipient: SMFIF.ADDRCPT,
  addRecipientWithParams: SMFIF.ADDRCPT_PAR,
  deleteRecipient: SMFIF.DELRCPT,
  replaceBody: SMFIF.CHGBODY,
  quarantine: SMFIF.QUARANTINE,
} as const;

export type EditKind = keyof typeof EDIT_BITS;

/**
 * Changes to a mail, gathered while `endOfMessage` runs and sent in one piece with its answer, so that a handler that
 * fails half-way has changed nothing. Each throws RangeError when the MTA does not allow it (see `can`), when a value
 * could break out of its place, when the edits grow above their bound, or when the mail is over.
 */
export interface Edits {
  can(edit: EditKind): boolean;
  /** Appends a field. A value may be folded: CRLF or LF, then a blank or tab. Strings are written in UTF-8. */
  addHeader(name: string, value: string | Buffer): void;
  /** Puts a field before the one at `index`; 0: at the very top, above the MTA's own Received. */
  insertHeader(index: number, name: string, value: string | Buffer): void;
  /** Gives the `index`th field of that name (1: the topmost) another value; where there is none, MTAs add one. */
  changeHeader(index: number, name: string, value: string | Buffer): void;
  deleteHeader(index: number, name: string): void;
  /** @param address with or without angle brackets; empty or `<>`: the null reverse-path */
  changeSender(address: string, params?: string): void;
  addRecipient(address: string, params?: string): void;
  /** @param address as it came with RCPT */
  deleteRecipient(address: string): void;
  /** Puts a new body in place of the old; more calls append to it. CRLF lines. */
  replaceBody(chunk: Buffer): void;
  /** Accepts the mail into the MTA's hold queue. */
  quarantine(reason: string): void;
  /** Tells the MTA at once that work goes on. */
  progress(): void;
}

export interface EditBounds {
  readonly allowed: ReadonlySet<EditKind>;
  /** SMFIP_HDR_LEADSPC was agreed: the blank after the colon is ours to send. */
  readonly leadingSpace: boolean;
  /** All edits of a mail together. */
  readonly bytesMax: number;
}

/** The edits of one mail, from the start of its end to the answer. */
export class EditBook implements Edits {
  readonly #bounds: EditBounds;
  readonly #sendProgress: () => void;
  readonly #edits: Buffer[] = [];
  readonly #body: Buffer[] = [];
  #bytes = 0;
  #open = true;

  constructor(bounds: EditBounds, sendProgress: () => void) {
    this.#bounds = bounds;
    this.#sendProgress = sendProgress;
  }

  can(edit: EditKind): boolean {
    return this.#bounds.allowed.has(edit);
  }

  addHeader(name: string, value: string | Buffer): void {
    this.#edit("addHeader", SMFIR.ADDHEADER, fieldName(name), this.#value(value));
  }

  insertHeader(index: number, name: string, value: string | Buffer): void {
    this.#edit("addHeader", SMFIR.INSHEADER, position(index, 0), fieldName(name), this.#value(value));
  }

  changeHeader(index: number, name: string, value: string | Buffer): void {
    this.#edit("changeHeader", SMFIR.CHGHEADER, position(index, 1), fieldName(name), this.#value(value));
  }

  deleteHeader(index: number, name: string): void {
    this.#edit("changeHeader", SMFIR.CHGHEADER, position(index, 1), fieldName(name), "\0");
  }

  changeSender(address: string, params = ""): void {
    this.#edit("changeSender", SMFIR.CHGFROM, path(address), parameters(params));
  }

  addRecipient(address: string, params = ""): void {
    if (params === "") this.#edit("addRecipient", SMFIR.ADDRCPT, path(address));
    else this.#edit("addRecipientWithParams", SMFIR.ADDRCPT_PAR, path(address), parameters(params));
  }

  deleteRecipient(address: string): void {
    this.#edit("deleteRecipient", SMFIR.DELRCPT, path(address));
  }

  replaceBody(chunk: Buffer): void {
    this.#check("replaceBody");
    if (chunk.length === 0) this.#note(this.#body, encodeFrame(SMFIR.REPLBODY));
    for (let at = 0; at < chunk.length; at += CHUNK_BYTES_MAX) {
      this.#note(this.#body, encodeFrame(SMFIR.REPLBODY, chunk.subarray(at, at + CHUNK_BYTES_MAX)));
    }
  }

  quarantine(reason: string): void {
    this.#edit("quarantine", SMFIR.QUARANTINE, `${quarantineReason(reason)}\0`);
  }

  progress(): void {
    if (this.#open) this.#sendProgress();
  }

  /** No more edits; the frames in the order they have to go out, body last (Postfix wants it in one run). */
  close(): Buffer[] {
    this.#open = false;
    return this.#edits.concat(this.#body);
  }

  #edit(kind: EditKind, command: number, ...parts: readonly (Buffer | string)[]): void {
    this.#check(kind);
    this.#note(this.#edits, encodeFrame(command, ...parts));
  }

  #check(kind: EditKind): void {
    if (!this.#open) throw new RangeError("an edit after the end of the mail");
    if (!this.can(kind)) throw new RangeError(`the MTA does not allow: ${kind}`);
  }

  #note(list: Buffer[], frame: Buffer): void {
    this.#bytes += frame.length;
    if (this.#bytes > this.#bounds.bytesMax) throw new RangeError(`more than ${this.#bounds.bytesMax} bytes of edits`);
    list.push(frame);
  }

  #value(text: string | Buffer): Buffer {
    return fieldValue(text, this.#bounds.leadingSpace);
  }
}

/** RFC 5322 3.6.8. */
function fieldName(name: string): string {
  if (!/^[\x21-\x39\x3b-\x7e]+$/.test(name)) throw new RangeError("not the name of a header field");
  return `${name}\0`;
}

/** MTAs want folds as bare LF; a line end that folds nothing would start a field of its own. */
function fieldValue(value: string | Buffer, leadingSpace: boolean): Buffer {
  const text = typeof value === "string" ? Buffer.from(value).toString("latin1") : value.toString("latin1");
  const folded = text.replace(/\r\n/g, "\n").trimStart();
  if (/[\0\r]|\n(?![ \t])/.test(folded))
    throw new RangeError("the value of a header field with a line end or NUL in it");
  if (folded === "") throw new RangeError("the value of a header field is empty, which would delete it");
  return Buffer.from(`${leadingSpace ? " " : ""}${folded}\0`, "latin1");
}

function position(index: number, min: number): Buffer {
  if (!Number.isInteger(index) || index < min || index > 0x7fff_fffe) throw new RangeError(`no header index: ${index}`);
  return uint32(index);
}

function path(address: string): string {
  if (/[\0-\x1f\x7f]/.test(address)) throw new RangeError("an address with control characters");
  return `${address.startsWith("<") ? address : `<${address}>`}\0`;
}

function parameters(params: string): string {
  if (/[\0-\x1f\x7f]/.test(params)) throw new RangeError("ESMTP parameters with control characters");
  return params === "" ? "" : `${params}\0`;
}

/** Postfix keeps 100 bytes of it. */
const quarantineReason = (reason: string): string => printable(reason).slice(0, 100) || "held";
