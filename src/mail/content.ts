/**
 * A mail as it came off the wire, dots unstuffed, every line ended by CRLF. Small ones live in memory, large ones
 * in a file that is gone with them; readers do not notice.
 */
export interface Content {
  readonly bytes: number;
  /** The header block with the empty line that ends it; all of the content when there is none. */
  readonly header: Buffer;
  /** Everything, in order, in pieces of at most 64 KiB when it is on disk. */
  read(): AsyncIterable<Buffer>;
  /** All of it when it is small, so that the common mail needs no copying and no stream. */
  readonly whole?: Buffer;
  /** Frees memory and file. Safe to call twice. */
  dispose(): Promise<void>;
}
