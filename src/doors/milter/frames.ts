/**
 * The lowest floor of the milter door: bytes to frames and back. A frame is a length (4 bytes, big endian, of what
 * follows), a command byte and a payload. Knows nothing of what the commands mean.
 */
export interface Frame {
  readonly command: number;
  /** What follows the command byte. Whoever receives it may keep it. */
  readonly payload: Buffer;
}

/** The peer sends what cannot be a frame; nothing after it can be trusted. */
export class FrameError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "FrameError";
  }
}

const LENGTH_BYTES = 4;
/** What is set aside for a frame before its bytes are there, and how often what has come: a mere claim costs nothing. */
const FIRST_BYTES = 16_384;
const AHEAD = 4;
const NOTHING: Buffer = Buffer.alloc(0);

/**
 * Splits a stream into frames, wherever it was cut or joined. A frame inside one chunk is given out without a copy; one
 * that spans chunks is copied together once, in linear time.
 */
export class FrameDecoder {
  readonly #bytesMax: number;
  readonly #waiting: Buffer[] = [];
  #waitingBytes = 0;
  /** The chunk being read, and how far. */
  #chunk = NOTHING;
  #at = 0;
  readonly #length = Buffer.alloc(LENGTH_BYTES);
  #lengthFilled = 0;
  /** Bytes of the frame begun, as its length says; those of them put together so far when it spans chunks. */
  #wanted = 0;
  #frame = NOTHING;
  #filled = 0;
  #broken: FrameError | undefined;

  /** @param bytesMax longest frame accepted, command byte included */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Takes bytes as they came. */
  push(chunk: Buffer): void {
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.length;
  }

  /**
   * The next whole frame, or undefined until more bytes come.
   * @throws FrameError for a length of 0 or above the bound; for good
   */
  next(): Frame | undefined {
    if (this.#broken) throw this.#broken;
    if (this.#lengthFilled < LENGTH_BYTES && !this.#readLength()) return undefined;
    if (this.#filled === 0) {
      if (this.#isUsedUp && !this.#nextChunk()) return undefined;
      const end = this.#at + this.#wanted;
      if (end <= this.#chunk.length) {
        const start = this.#at;
        this.#at = end;
        return this.#give(this.#chunk, start, end);
      }
    }
    return this.#collect() ? this.#give(this.#frame, 0, this.#wanted) : undefined;
  }

  /** Bytes held that belong to no frame given out yet. */
  get heldBytes(): number {
    return this.#waitingBytes + this.#chunk.length - this.#at + this.#lengthFilled + this.#filled;
  }

  get #isUsedUp(): boolean {
    return this.#at === this.#chunk.length;
  }

  #nextChunk(): boolean {
    const following = this.#waiting.shift();
    this.#chunk = following ?? NOTHING;
    this.#at = 0;
    this.#waitingBytes -= this.#chunk.length;
    return following !== undefined;
  }

  #readLength(): boolean {
    while (this.#lengthFilled < LENGTH_BYTES) {
      if (this.#isUsedUp && !this.#nextChunk()) return false;
      const end = this.#at + LENGTH_BYTES - this.#lengthFilled;
      const taken = this.#chunk.copy(this.#length, this.#lengthFilled, this.#at, end);
      this.#lengthFilled += taken;
      this.#at += taken;
    }
    this.#wanted = this.#length.readUInt32BE();
    if (this.#wanted === 0) this.#broken = new FrameError("a frame without a command");
    if (this.#wanted > this.#bytesMax) {
      this.#broken = new FrameError(`a frame of ${this.#wanted} bytes, allowed are ${this.#bytesMax}`);
    }
    if (this.#broken) throw this.#broken;
    return true;
  }

  /** Puts together a frame that spans chunks. @returns whether it is whole */
  #collect(): boolean {
    while (this.#filled < this.#wanted) {
      if (this.#isUsedUp && !this.#nextChunk()) return false;
      const bytes = Math.min(this.#wanted - this.#filled, this.#chunk.length - this.#at);
      this.#makeRoom(this.#filled + bytes);
      this.#chunk.copy(this.#frame, this.#filled, this.#at, this.#at + bytes);
      this.#filled += bytes;
      this.#at += bytes;
    }
    return true;
  }

  #makeRoom(bytes: number): void {
    if (bytes <= this.#frame.length) return;
    const size = Math.min(this.#wanted, Math.max(FIRST_BYTES, AHEAD * bytes));
    const larger = Buffer.allocUnsafe(size);
    this.#frame.copy(larger, 0, 0, this.#filled);
    this.#frame = larger;
  }

  #give(bytes: Buffer, start: number, end: number): Frame {
    this.#lengthFilled = 0;
    this.#filled = 0;
    this.#frame = NOTHING;
    return { command: bytes[start] ?? 0, payload: bytes.subarray(start + 1, end) };
  }
}

/** One frame ready to send. The parts are joined as they are; strings are written in UTF-8. */
export function encodeFrame(command: number, ...parts: readonly (Buffer | string)[]): Buffer {
  let bytes = 1;
  for (const part of parts) bytes += typeof part === "string" ? Buffer.byteLength(part) : part.length;
  const frame = Buffer.allocUnsafe(LENGTH_BYTES + bytes);
  frame.writeUInt32BE(bytes);
  frame[LENGTH_BYTES] = command;
  let at = LENGTH_BYTES + 1;
  for (const part of parts) at += typeof part === "string" ? frame.write(part, at) : part.copy(frame, at);
  return frame;
}

/** A number as the protocol writes it. */
export function uint32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

/** ASCII that cannot end a line or a string early. */
export const printable = (text: string): string => text.replace(/[^\x20-\x7e]+/g, "?");
