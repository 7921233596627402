import { readFileSync } from "node:fs";
import { uptime } from "node:os";

/** What the machine knows of time besides its clock. */
export interface Uptime {
  /** Since it was started, asleep or not; nobody sets it. */
  readonly uptimeMs: number;
  /** Tells one start of the machine from another. */
  readonly bootId: string;
}

export function machineUptime(): Uptime {
  return { uptimeMs: Math.round(uptime() * 1_000), bootId: bootId() };
}

/** Where the system gives no such id, an uptime that went down tells of another start. */
function bootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return "";
  }
}
