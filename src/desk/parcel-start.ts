import type { Parcel } from "../delivery/next-hop.ts";

/** Most of a mail that is read for people's words, bytes. */
const READ_BYTES_MAX = 65_536;

/** The mail's beginning, header block first. */
export async function startOf({ whole, read }: Parcel): Promise<Buffer> {
  if (whole) return whole.subarray(0, READ_BYTES_MAX);
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of read()) {
    pieces.push(piece);
    bytes += piece.length;
    if (bytes >= READ_BYTES_MAX) break;
  }
  return Buffer.concat(pieces).subarray(0, READ_BYTES_MAX);
}
