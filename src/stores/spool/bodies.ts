/**
 * Contents on their way into the database, which copies what it is given. They are put together in one place that is used again and again:
 * a copy for each of them would be so much garbage outside of the heap that V8 marks all of it several times a second.
 */
import { bytesOf } from "../lmdb/open.ts";
import { idKey, type Tables } from "./rows.ts";

/** Larger ones are rare, and get a copy of their own. */
const ROOM_BYTES = 1_048_576;
let room: Buffer | undefined;

/** Inside a transaction. */
export function putBody({ bodies }: Tables, id: string, pieces: readonly Buffer[]): void {
  void bytesOf(bodies).put(idKey(id), inOnePiece(pieces));
}

export const bytesIn = (pieces: readonly Buffer[]): number => pieces.reduce((sum, { length }) => sum + length, 0);

/** Good until it is called again. */
function inOnePiece(pieces: readonly Buffer[]): Buffer {
  const [only, ...others] = pieces;
  if (only && others.length === 0) return only;
  const bytes = bytesIn(pieces);
  if (bytes > ROOM_BYTES) return Buffer.concat(pieces, bytes);
  room ??= Buffer.allocUnsafeSlow(ROOM_BYTES);
  let at = 0;
  for (const piece of pieces) at += piece.copy(room, at);
  return room.subarray(0, bytes);
}
