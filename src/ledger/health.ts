import type { Journal } from "./journal.ts";

/** A failure is believed so long: where no mail comes any more, nobody would find out that it is over. */
const BELIEVED_MS = 10_000;

/** A journal, and whether it could be written lately. */
export interface Watched {
  readonly journal: Journal;
  /** Why the newest append failed; undefined: it did not, or that is long ago. */
  trouble(): string | undefined;
}

/** @param steadyMs a clock that never jumps */
export function watchedJournal(inner: Journal, steadyMs: () => number): Watched {
  let failed: { readonly why: string; readonly at: number } | undefined;
  const journal: Journal = {
    ...inner,
    async append(entries, when) {
      try {
        await inner.append(entries, when);
        failed = undefined;
      } catch (error) {
        failed = { why: error instanceof Error ? error.message : "unknown", at: steadyMs() };
        throw error;
      }
    },
  };
  return { journal, trouble: () => (failed && steadyMs() - failed.at < BELIEVED_MS ? failed.why : undefined) };
}
