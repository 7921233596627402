import type { Happening, Recorder } from "../../ledger/recorder.ts";

interface Waiting {
  readonly happenings: readonly Happening[];
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * What is written down within so many milliseconds is written together, for who has no client waiting: one flush serves them all. When it
 * cannot be written, nobody's is.
 */
export function gathering(recorder: Recorder, gatherMs: number): Recorder {
  let waiting: Waiting[] = [];
  const write = (): void => {
    const all = waiting;
    waiting = [];
    recorder.record(all.flatMap(({ happenings }) => happenings)).then(
      () => {
        for (const each of all) each.resolve();
      },
      (error: unknown) => {
        for (const each of all) each.reject(error);
      },
    );
  };
  return {
    record: (happenings) =>
      new Promise((resolve, reject) => {
        if (waiting.push({ happenings, resolve, reject }) === 1) setTimeout(write, gatherMs);
      }),
  };
}
