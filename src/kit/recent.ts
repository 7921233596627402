/** A map that forgets: what is older than its time, and the oldest when it is full. */
export interface Recent<T> {
  get(key: string, nowMs: number): T | undefined;
  /** Kept until `untilMs`. */
  set(key: string, value: T, untilMs: number): void;
  delete(key: string): void;
  clear(): void;
  readonly size: number;
}

/** @param max most keys; one more pushes out the one that was set first */
export function createRecent<T>(max: number): Recent<T> {
  const kept = new Map<string, { readonly value: T; readonly untilMs: number }>();
  return {
    get(key, nowMs) {
      const found = kept.get(key);
      if (!found) return undefined;
      if (found.untilMs > nowMs) return found.value;
      kept.delete(key);
      return undefined;
    },
    set(key, value, untilMs) {
      kept.delete(key);
      kept.set(key, { value, untilMs });
      if (kept.size <= max) return;
      const [oldest] = kept.keys();
      if (oldest !== undefined) kept.delete(oldest);
    },
    delete: (key) => void kept.delete(key),
    clear: () => kept.clear(),
    get size() {
      return kept.size;
    },
  };
}
