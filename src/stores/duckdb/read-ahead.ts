/**
 * Has parts of files read by Node's own threads a little before they are needed, into the system's page cache and nowhere else: a disk that is
 * asked for several things at a time gives them in half the time, and whoever needs them reads them as ever.
 */
import { close, open, read } from "node:fs";

/** Of a file: from where, and how many bytes. */
export type Part = readonly [offset: number, bytes: number];

/** What is read goes here, from everywhere at once: nobody looks at it. */
const sink = Buffer.allocUnsafeSlow(2 ** 19);

/** Nothing that goes wrong here matters: whoever needs the file says so. Parts are read one after the other. */
export function readAhead(path: string, parts: readonly Part[], done: () => void = () => undefined): void {
  open(path, "r", (trouble, file) => {
    if (trouble) return done();
    const end = (): void => close(file, done);
    const next = (index: number, from: number): void => {
      const part = parts[index];
      if (!part) return end();
      const [offset, bytes] = part;
      if (from >= bytes) return next(index + 1, 0);
      const length = Math.min(sink.length, bytes - from);
      read(file, sink, 0, length, offset + from, (failed, got) =>
        failed || got === 0 ? end() : next(index, from + got),
      );
    };
    next(0, 0);
  });
}
