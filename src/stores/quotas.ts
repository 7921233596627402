import type { Admission, Quota, QuotaGrant, Value } from "../kit/store.ts";
import { checkQuota, takeFrom, type WindowState } from "./window-state.ts";

/** The quota that a record brings: a field `q` of its own. The same is in redis/scripts.ts in another language. */
function ownQuota(value: Value | undefined): readonly [max: number, windowMs: number] | undefined {
  if (typeof value !== "object" || value === null || !("q" in value)) return undefined;
  const { q } = value;
  const [max, windowMs] = Array.isArray(q) ? (q as readonly Value[]) : [];
  return typeof max === "number" && typeof windowMs === "number" ? [max, windowMs] : undefined;
}

/** Which quotas are asked for, the record's own last. @throws RangeError for what is no quota */
export function quotasOf({ quotas, ownId }: Admission, value: Value | undefined): readonly Quota[] {
  for (const quota of quotas) checkQuota(quota);
  const own = ownQuota(value);
  if (!own) return quotas;
  const asked = quotas.filter(({ unlessOwn }) => !unlessOwn);
  asked.push({ id: ownId, max: own[0], windowMs: own[1], unlessOwn: false });
  return asked;
}

/** One quota's part of an admission: the state after it, where it changes, and the grant. */
export function admitStep(
  before: WindowState,
  quota: Quota,
  { n, nowMs }: { n: number; nowMs: number },
): { state: WindowState; grant: QuotaGrant } {
  const { state, grant } = takeFrom(before, { max: quota.max, windowMs: quota.windowMs, n }, nowMs);
  const granted = n === 0 ? grant.taken < quota.max : grant.granted;
  const { id, max, windowMs, unlessOwn } = quota;
  return { state, grant: { id, max, windowMs, unlessOwn, granted, taken: grant.taken, freesAtMs: grant.freesAtMs } };
}
