import { flushCompileCache } from "node:module";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/**
 * Gives back what starting up took and nobody needs any more: a fifth of an idle process. Holds everything up for a third of a second, so
 * it is for the moment before the doors count as open. What was compiled is kept for whoever starts next, where Node keeps it at all: a
 * process that has to compile for itself holds 20 MB more from then on.
 */
export function giveMemoryBack(): void {
  flushCompileCache();
  collector()({ type: "major", execution: "sync", flavor: "last-resort" });
}

type Collect = (how: {
  readonly type: "major" | "minor";
  readonly execution: "sync";
  readonly flavor?: "last-resort";
}) => void;

function collector(): Collect {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as Collect;
}

let collect: Collect | undefined;

/**
 * Lets go of buffers that nobody holds any more, in a millisecond or two: the garbage collector sees their small objects only, and lets their
 * bytes pile up.
 */
export function dropBuffers(): void {
  collect ??= collector();
  collect({ type: "minor", execution: "sync" });
}

/**
 * Buffers are dropped whenever so many bytes of them may lie about. Left alone they pile up to the 64 MB at which V8 marks all of the heap, on
 * four threads and with large mails eight times a second; dropping this many takes two milliseconds.
 */
const PILE_BYTES_MAX = 16 * 1_048_576;
let pileBytes = 0;

/** So many bytes of buffers have been made of which none is held for long. */
export function buffersMade(bytes: number): void {
  pileBytes += bytes;
  if (pileBytes < PILE_BYTES_MAX) return;
  pileBytes = 0;
  dropBuffers();
}
