import type { Content } from "./content.ts";

/** The first bytes of a mail: without a copy and at once where it is in memory, else read from disk as far as needed. */
export function startOfContent(content: Content, bytesMax: number): Buffer | Promise<Buffer> {
  return content.whole ? content.whole.subarray(0, bytesMax) : readStart(content, bytesMax);
}

async function readStart(content: Content, bytesMax: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let left = bytesMax;
  for await (const piece of content.read()) {
    pieces.push(piece.subarray(0, left));
    left -= piece.length;
    if (left <= 0) break;
  }
  return Buffer.concat(pieces);
}
