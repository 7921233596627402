/** What the doors let through to whoever reads headers: `limits` at their defaults. */
const HEADER_BYTES_MAX = 262_144;
const HEADERS_MAX = 1_000;

/** The header block as far as the doors would have let it in. */
export function withinBounds(block: Buffer): Buffer {
  let lines = 0;
  for (let at = 0; at < block.length && at < HEADER_BYTES_MAX; ) {
    if (block[at] !== 32 && block[at] !== 9) lines += 1;
    if (lines > HEADERS_MAX) return block.subarray(0, at);
    const lf = block.indexOf(10, at);
    at = lf < 0 ? block.length : lf + 1;
  }
  return block.subarray(0, HEADER_BYTES_MAX);
}
