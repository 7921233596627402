/** A map whose values expire. Each use also looks at a few other keys, so that the expired do not pile up. */
export interface ExpiringMap<T> {
  get(key: string, nowMs: number): T | undefined;
  set(key: string, value: T, expiresAtMs: number): void;
  delete(key: string): void;
  readonly size: number;
}

const LOOKED_AT = 4;

export function createExpiringMap<T>(): ExpiringMap<T> {
  const kept = new Map<string, { value: T; expiresAtMs: number }>();
  let round = kept.entries();

  function sweep(nowMs: number): void {
    for (let i = 0; i < LOOKED_AT; i += 1) {
      const next = round.next();
      if (next.done) {
        round = kept.entries();
        return;
      }
      const [key, { expiresAtMs }] = next.value;
      if (expiresAtMs <= nowMs) kept.delete(key);
    }
  }

  return {
    get(key, nowMs) {
      sweep(nowMs);
      const found = kept.get(key);
      return found && found.expiresAtMs > nowMs ? found.value : undefined;
    },
    set: (key, value, expiresAtMs) => void kept.set(key, { value, expiresAtMs }),
    delete: (key) => void kept.delete(key),
    get size() {
      return kept.size;
    },
  };
}

/** One text for both parts of a key; no two keys give the same. */
export const flat = ({ partition, id }: { partition: string; id: string }): string => JSON.stringify([partition, id]);
