import type { Content } from "../mail/content.ts";
import { editHeader, type HeaderEdit } from "../mail/edits.ts";
import type { Parcel } from "./next-hop.ts";

/**
 * A mail ready to be handed over. Where nothing is changed, the content's own memory or file is read, without a copy.
 *
 * @param front complete header lines, CRLF ended, or empty; fields that are added follow them
 * @param edits of the content's header block
 */
export function parcelOf(content: Content, front: Buffer, edits: readonly HeaderEdit[]): Parcel {
  const { whole, header } = content;
  if (edits.length === 0) {
    const bytes = front.length + content.bytes;
    return { front, bytes, changes: NONE, read: () => content.read(), ...(whole && { whole }) };
  }
  const { block, added, ...changes } = editHeader(header, edits);
  const ahead = Buffer.concat([front, added]);
  const bytes = ahead.length + block.length + content.bytes - header.length;
  if (block === header) return { front: ahead, bytes, changes, read: () => content.read(), ...(whole && { whole }) };
  if (!whole) return { front: ahead, bytes, changes, read: () => withHeader(block, content) };
  const edited = Buffer.concat([block, whole.subarray(header.length)]);
  return { front: ahead, bytes, changes, whole: edited, read: () => onePiece(edited) };
}

const NONE: Parcel["changes"] = { fields: [], additions: [] };

async function* withHeader(block: Buffer, content: Content): AsyncIterable<Buffer> {
  if (block.length > 0) yield block;
  let left = content.header.length;
  for await (const piece of content.read()) {
    if (piece.length > left) yield piece.subarray(left);
    left = Math.max(0, left - piece.length);
  }
}

async function* onePiece(whole: Buffer): AsyncIterable<Buffer> {
  yield whole;
}
