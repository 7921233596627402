/** Which code an input reached for the first time: such inputs are seeds for the next. */
import { Session } from "node:inspector";

interface Range {
  readonly startOffset: number;
  readonly endOffset: number;
  readonly count: number;
}
interface Script {
  readonly url: string;
  readonly functions: readonly { readonly ranges: readonly Range[] }[];
}

export interface Coverage {
  /** Did anything of src/ run since the last time it was asked that never ran before? Costs some milliseconds. */
  grew(): boolean;
  stop(): void;
}

export function watchCoverage(): Coverage {
  const session = new Session();
  session.connect();
  session.post("Profiler.enable");
  session.post("Profiler.startPreciseCoverage", { callCount: false, detailed: true });
  const take = (): readonly Script[] => {
    let result: readonly Script[] = [];
    session.post("Profiler.takePreciseCoverage", (_error: Error | null, said?: { result: readonly Script[] }) => {
      result = said?.result ?? [];
    });
    return result;
  };
  /** By function: the blocks in it that never ran. */
  const missing = new Map<string, Set<string>>();
  return {
    grew() {
      let grown = false;
      for (const { url, functions } of take()) {
        if (!url.includes("/src/")) continue;
        for (const { ranges } of functions) grown = isNews(missing, url, ranges) || grown;
      }
      return grown;
    },
    stop: () => session.disconnect(),
  };
}

/** A report tells of what ran since the one before: what did not run now may have run then. */
function isNews(missing: Map<string, Set<string>>, url: string, ranges: readonly Range[]): boolean {
  const [whole] = ranges;
  if (!whole || whole.count === 0) return false;
  const name = `${url} ${whole.startOffset}`;
  const idle = new Set(ranges.filter(({ count }) => count === 0).map(({ startOffset }) => `${startOffset}`));
  const before = missing.get(name);
  const still = before ? new Set([...before].filter((block) => idle.has(block))) : idle;
  missing.set(name, still);
  return !before || still.size < before.size;
}
