import type { Duplex } from "node:stream";
import { atEndOfTurn } from "../../kit/turn.ts";
import { type Frame, FrameDecoder } from "./frames.ts";

export interface LinkBounds {
  readonly frameBytesMax: number;
  /** From the start to the first frame. */
  readonly negotiationTimeoutMs: number;
  /** From one frame to the next, half frames not counting. */
  readonly idleTimeoutMs: number;
}

export interface LinkEvents {
  /** Must not throw nor reject. While its promise is pending no other frame comes. */
  frame(frame: Frame): void | Promise<void>;
  /** The peer breaks the frames or a bound; the link ends itself. */
  broken(error: unknown): void;
  /** Once, at the very end; also while a frame is being worked on. */
  gone(): void;
}

/** Up to here frames are joined by copying, above they are handed to one writev. */
const JOIN_BYTES_MAX = 65_536;
/** What a peer asks for faster than this is said at once, so that one that does not read is noticed. */
const FRAMES_PER_TURN_MAX = 16;
/** For a peer to take the last bytes when we close. */
const LINGER_MS = 5_000;

/**
 * Frames over a socket, one at a time: the next is given out only when the work on the last is done and the peer takes
 * what we write. Meanwhile at most one chunk waits, and the socket is paused. Knows nothing of what the frames mean.
 */
export class Link {
  readonly #socket: Duplex;
  readonly #events: LinkEvents;
  readonly #idleTimeoutMs: number;
  readonly #decoder: FrameDecoder;
  #timer: NodeJS.Timeout;
  /** The first frame has come. */
  #begun = false;
  /** A frame is being worked on. */
  #busy = false;
  /** The peer does not take what we write. */
  #stalled = false;
  #paused = false;
  /** Go out together at the end of the turn. */
  #unsent: Buffer[] = [];
  readonly #send = (): void => {
    const frames = this.#unsent;
    this.#unsent = [];
    if (frames.length > 0 && !this.gone && !writeOnce(this.#socket, frames)) this.#stalled = true;
  };

  constructor(socket: Duplex, bounds: LinkBounds, events: LinkEvents) {
    this.#socket = socket;
    this.#events = events;
    this.#idleTimeoutMs = bounds.idleTimeoutMs;
    this.#decoder = new FrameDecoder(bounds.frameBytesMax);
    this.#timer = setTimeout(() => this.#expire(), bounds.negotiationTimeoutMs);
    socket.on("data", (chunk: Buffer) => this.#take(chunk));
    socket.on("drain", () => {
      this.#stalled = false;
      this.#pump();
    });
    // A reset is how some MTAs hang up; "close" follows and says it.
    socket.on("error", () => {});
    socket.on("close", () => {
      clearTimeout(this.#timer);
      events.gone();
    });
  }

  /** Closed, or closing by our own wish: nothing written from now on reaches the peer. */
  get gone(): boolean {
    return this.#socket.destroyed || this.#socket.writableEnded;
  }

  /** All frames in one write, with what else this turn has to say. */
  write(frames: readonly Buffer[]): void {
    if (this.#unsent.length === 0) atEndOfTurn(this.#send);
    if (this.#unsent.push(...frames) > FRAMES_PER_TURN_MAX) this.#send();
  }

  /** Sends what is still to be sent, then closes. */
  end(): void {
    if (this.gone) return;
    this.#send();
    this.#restart(LINGER_MS, () => this.destroy());
    this.#socket.end(() => this.destroy());
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    if (this.gone) return;
    this.#decoder.push(chunk);
    if (this.#busy || this.#stalled) {
      this.#paused = true;
      this.#socket.pause();
    } else this.#pump();
  }

  #pump(): void {
    let first = true;
    while (!this.#busy && !this.#stalled && !this.gone) {
      const frame = this.#nextFrame();
      if (!frame) break;
      if (first) this.#rewind();
      first = false;
      const work = this.#events.frame(frame);
      if (work) {
        this.#busy = true;
        void work.then(() => this.#done());
      }
    }
    if (!this.#paused || this.#busy || this.#stalled) return;
    this.#paused = false;
    this.#socket.resume();
  }

  #nextFrame(): Frame | undefined {
    try {
      return this.#decoder.next();
    } catch (error) {
      this.#breakOff(error);
      return undefined;
    }
  }

  #done(): void {
    this.#busy = false;
    if (!this.gone) this.#timer.refresh();
    this.#pump();
  }

  /** A frame has come whole: the clock starts anew. */
  #rewind(): void {
    if (this.#begun) this.#timer.refresh();
    else this.#restart(this.#idleTimeoutMs, () => this.#expire());
    this.#begun = true;
  }

  #restart(ms: number, expire: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(expire, ms);
  }

  #expire(): void {
    if (this.#busy) this.#timer.refresh();
    else this.#breakOff(new Error(this.#begun ? "idle for too long" : "no option negotiation in time"));
  }

  #breakOff(error: unknown): void {
    this.#events.broken(error);
    this.end();
  }
}

function writeOnce(socket: Duplex, frames: readonly Buffer[]): boolean {
  const only = frames[0];
  if (only && frames.length === 1) return socket.write(only);
  let bytes = 0;
  for (const frame of frames) bytes += frame.length;
  if (bytes <= JOIN_BYTES_MAX) return socket.write(Buffer.concat(frames, bytes));
  socket.cork();
  let room = true;
  for (const frame of frames) room = socket.write(frame);
  socket.uncork();
  return room;
}
