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
