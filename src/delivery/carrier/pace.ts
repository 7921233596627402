/** Mails a minute to one destination, spread over the minute: what is saved up is at most a tenth of it. */
export interface Pace {
  /** How many may go now; whole mails. */
  room(destination: string, perMinute: number): number;
  /** One goes. */
  took(destination: string, perMinute: number): void;
}

interface Bucket {
  tokens: number;
  atMs: number;
}

const BUCKETS_MAX = 50_000;

export function createPace(nowMs: () => number): Pace {
  const buckets = new Map<string, Bucket>();
  const filled = (destination: string, perMinute: number): Bucket => {
    const now = nowMs();
    const most = Math.max(1, perMinute / 10);
    const bucket = buckets.get(destination) ?? { tokens: most, atMs: now };
    bucket.tokens = Math.min(most, bucket.tokens + ((now - bucket.atMs) * perMinute) / 60_000);
    bucket.atMs = now;
    return bucket;
  };
  return {
    room: (destination, perMinute) => Math.floor(filled(destination, perMinute).tokens),
    took(destination, perMinute) {
      const bucket = filled(destination, perMinute);
      bucket.tokens -= 1;
      // The one used longest ago is full again, or nearly.
      buckets.delete(destination);
      buckets.set(destination, bucket);
      const [oldest] = buckets.size > BUCKETS_MAX ? buckets.keys() : [];
      if (oldest !== undefined) buckets.delete(oldest);
    },
  };
}
