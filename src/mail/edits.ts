import { type Field, Headers } from "./headers.ts";

/**
 * A change to the header block that goes with the mail when it goes on. Rules ask for it in a finding; whoever hands the mail over
 * makes it, the SMTP next hop by writing other bytes, the milter by telling the MTA. Everything else stays bit for bit.
 */
export type HeaderEdit =
  | {
      /** Puts a field above the mail's own. */
      readonly kind: "add";
      readonly name: string;
      /** Without the line end; may be folded: CRLF, then a blank or tab. */
      readonly value: string;
    }
  | { readonly kind: "remove"; readonly field: Field }
  | { readonly kind: "replace"; readonly field: Field; readonly value: string };

/** An edit of a field that is there, in words an MTA understands. */
export interface FieldChange {
  /** As the mail spells it. */
  readonly name: string;
  /** Which of that name, 1 is the topmost. */
  readonly nth: number;
  /** undefined: the field goes. */
  readonly value: string | undefined;
}

export interface HeaderChanges {
  /** The header block after the edits, without what was added. */
  readonly block: Buffer;
  /** Complete lines of the added fields, in order. */
  readonly added: Buffer;
  /** The same for an MTA that has the mail already: top to bottom. */
  readonly fields: readonly FieldChange[];
  readonly additions: readonly { readonly name: string; readonly value: string }[];
}

/**
 * Makes the edits. Where several concern one field, the first counts.
 *
 * @param block the header block the fields were read from, with the empty line that ends it
 * @throws TypeError when a name or value could break out of its field: whoever made it has a bug
 */
export function editHeader(block: Buffer, edits: readonly HeaderEdit[]): HeaderChanges {
  const additions = edits.flatMap((edit) => (edit.kind === "add" ? [{ name: edit.name, value: edit.value }] : []));
  const added = Buffer.from(additions.map(({ name, value }) => line(name, value)).join(""));
  const changes = edits
    .filter((edit) => edit.kind !== "add")
    .sort((a, b) => a.field.start - b.field.start)
    .filter(({ field }, at, all) => field.start !== all[at - 1]?.field.start);
  // Nearly always a field is only added: the block is then what it was, not a copy of it.
  if (changes.length === 0) return { block, added, fields: [], additions };
  const all = Headers.parse(block).fields;
  const fields: FieldChange[] = [];
  const pieces: Buffer[] = [];
  let kept = 0;
  for (const change of changes) {
    const { name, start, end } = change.field;
    const value = change.kind === "replace" ? change.value : undefined;
    const spelled = nameAt(block, start);
    pieces.push(block.subarray(kept, start));
    if (value !== undefined) pieces.push(Buffer.from(line(spelled, value)));
    kept = end;
    fields.push({ name: spelled, nth: all.filter((f) => f.name === name && f.start <= start).length, value });
  }
  return { block: Buffer.concat([...pieces, block.subarray(kept)]), added, fields, additions };
}

const nameAt = (block: Buffer, start: number): string =>
  block.toString("latin1", start, block.indexOf(58, start)).trimEnd();

function line(name: string, value: string): string {
  if (!/^[\x21-\x39\x3b-\x7e]+$/.test(name)) throw new TypeError("not the name of a header field");
  if (/\0|\r(?!\n)|(?<!\r)\n|\n(?![ \t])/.test(value)) throw new TypeError("a header field that is more than one");
  return `${name}: ${value}\r\n`;
}
