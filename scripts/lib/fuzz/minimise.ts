/** The shortest input that still shows the finding: pieces are left out, larger ones first, as long as it does (ddmin, bounded). */
const TRIES_MAX = 400;
const PATIENCE_MS = 20_000;

/** @param shows whether an input still has the same finding */
export async function minimise(input: Buffer, shows: (smaller: Buffer) => Promise<boolean>): Promise<Buffer> {
  let best = input;
  let tries = 0;
  const endMs = performance.now() + PATIENCE_MS;
  const isOver = (): boolean => tries >= TRIES_MAX || performance.now() > endMs;
  for (
    let piece = Math.ceil(best.length / 2);
    piece >= 1 && !isOver();
    piece = piece === 1 ? 0 : Math.ceil(piece / 2)
  ) {
    for (let at = 0; at < best.length && !isOver(); ) {
      const smaller = Buffer.concat([best.subarray(0, at), best.subarray(at + piece)]);
      tries += 1;
      if (await shows(smaller)) best = smaller;
      else at += piece;
    }
  }
  return best;
}
