import { SMTPStream } from "smtp-server/lib/smtp-stream.js";
import type { ContentWriter } from "../content-writer.ts";
import type { DataReader } from "./data-reader.ts";

type Done = (error?: Error | null) => void;

const CR = 13;
const LF = 10;

/** smtp-server's handlers may call back twice; the parser goes on once. */
function once(done: Done): () => void {
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    done();
  };
}

/** What receives one mail's text. */
export interface MailSink {
  readonly reader: DataReader;
  readonly writer: ContentWriter;
  /** Called once the last line was seen. Reading goes on when it calls `resume`. */
  ended(resume: () => void): void;
}

/**
 * smtp-server's parser with our reader for the text of a mail: one pass by lines instead of one by bytes, bare newlines seen,
 * nothing copied. Commands stay smtp-server's.
 */
export class RelayStream extends SMTPStream {
  private sink: MailSink | undefined;
  /** What the writer asked to wait for while the current chunk was read. */
  private behind: Promise<void> | undefined;
  private taking = false;
  private full = false;
  private queue: Buffer[] = [];

  /** From here to the end of the mail, bytes go to the sink. */
  receive(sink: MailSink): void {
    this.sink = sink;
    this._dataMode = true;
  }

  /** For DataReader's `put`. */
  keep(writer: ContentWriter, slice: Buffer): void {
    const wait = writer.write(slice);
    if (wait) this.behind = wait;
  }

  /**
   * Takes a packet straight to the parser, one at a time: Writable's own queue, and a tick for every packet, cost more than the
   * packet. `false` makes the socket wait for "drain", as ever.
   */
  override write(chunk: Buffer): boolean {
    if (this.taking) this.queue.push(chunk);
    else this.take(chunk);
    this.full = this.taking;
    return !this.taking;
  }

  private take(chunk: Buffer): void {
    this.taking = true;
    this.read(chunk, (error) => {
      this.taking = false;
      if (error) return void this.destroy(error);
      const next = this.queue.shift();
      if (next) return this.take(next);
      if (this.full) this.emit("drain");
      this.full = false;
    });
  }

  /** One whole command in one packet is what most clients send: it needs no search, no text of the rest and no copy. */
  private read(chunk: Buffer, done: Done): void {
    const end = chunk.length - 2;
    const isCommand = !this._dataMode && !this.isClosed && this._remainder === "" && end <= this._maxCommandLength;
    if (isCommand && chunk[end] === CR && chunk.indexOf(LF) === end + 1) {
      this.oncommand(chunk.subarray(0, end), once(done));
    } else this._write(chunk, "buffer", done);
  }

  /** A line that was never ended is no command. */
  override _flushData(): void {}

  override _feedDataStream(chunk: Buffer, done: Done): void {
    const sink = this.sink;
    if (!sink) return done();
    const rest = sink.reader.feed(chunk);
    if (rest === undefined) return this.whenKept(done);
    this.sink = undefined;
    this._dataMode = false;
    this._remainder = "";
    sink.ended(() => this._write(rest, "buffer", done));
  }

  /** A slow disk slows the client down instead of filling memory. A failed write is told at the end of the mail. */
  private whenKept(done: Done): void {
    const wait = this.behind;
    this.behind = undefined;
    if (!wait) return done();
    wait.then(
      () => done(),
      () => done(),
    );
  }
}
