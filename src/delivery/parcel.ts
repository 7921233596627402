import type { Content } from "../mail/content.ts";
import type { Parcel } from "./next-hop.ts";

/** A header field by its place in the content: from its first byte to after its last. */
export interface Omission {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/**
 * A mail ready to be handed over. Where nothing is left out, the content's own memory or file is read, without a copy.
 *
 * @param front complete header lines, CRLF ended, or empty
 * @param omit parts of the content that shall not go on (a trace header somebody forged), in any order; may overlap
 */
export function parcelOf(content: Content, front: Buffer, omit: readonly Omission[]): Parcel {
  const omitted = omit.map(({ name }) => name);
  const kept = keptRanges(content.bytes, omit);
  const bytes = kept.reduce((sum, { start, end }) => sum + end - start, front.length);
  if (bytes === front.length + content.bytes) {
    return { front, bytes, omitted, read: () => content.read(), ...(content.whole ? { whole: content.whole } : {}) };
  }
  const { whole } = content;
  if (!whole) return { front, bytes, omitted, read: () => readRanges(content, kept) };
  const edited = Buffer.concat(kept.map(({ start, end }) => whole.subarray(start, end)));
  return { front, bytes, omitted, whole: edited, read: () => onePiece(edited) };
}

interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** What is left between the omitted ranges, in order. */
function keptRanges(bytes: number, omit: readonly Omission[]): ByteRange[] {
  const kept: ByteRange[] = [];
  let at = 0;
  for (const { start, end } of [...omit].sort((a, b) => a.start - b.start)) {
    const until = Math.min(start, bytes);
    if (until > at) kept.push({ start: at, end: until });
    at = Math.max(at, end);
  }
  if (at < bytes) kept.push({ start: at, end: bytes });
  return kept;
}

async function* readRanges(content: Content, kept: readonly ByteRange[]): AsyncIterable<Buffer> {
  let offset = 0;
  for await (const piece of content.read()) {
    const end = offset + piece.length;
    for (const range of kept) {
      if (range.start < end && range.end > offset) {
        yield piece.subarray(Math.max(0, range.start - offset), range.end - offset);
      }
    }
    offset = end;
  }
}

async function* onePiece(whole: Buffer): AsyncIterable<Buffer> {
  yield whole;
}
