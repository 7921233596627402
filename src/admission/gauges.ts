/** What can be short on this machine, read cheaply: the event loop, memory, the disk. */
import { statfs } from "node:fs/promises";
import { getHeapStatistics } from "node:v8";
import { type Pressure, pressureAbove, pressureBelow, pressureNear } from "./pressure.ts";

export interface Gauge {
  readonly name: Shortage;
  /** At once, from what was measured last. */
  pressure(): Pressure;
  stop?(): void;
}

/** What is short. */
export type Shortage = "event-loop" | "memory" | "disk" | "queue";

/** `overload` of the configuration, asked anew each time. */
export interface OverloadLimits {
  readonly eventLoopLagMs: number;
  readonly memoryMb: number;
  readonly diskFreeMb: number;
}

const LOOK_MS = 100;
/** Of so many looks the middle one counts: a single stall is over by the time somebody could be turned away for it. */
const LOOKS = 9;
const MB = 1_048_576;

export interface LagGauge {
  /** How late the event loop is now, ms: the middle of about a second. */
  lagMs(): number;
  stop(): void;
}

/** A timer that looks how late it is: a millionth of a processor. */
export function startLagGauge(): LagGauge {
  const late = new Float64Array(LOOKS);
  let looks = 0;
  let due = performance.now() + LOOK_MS;
  const timer = setInterval(() => {
    const now = performance.now();
    late[looks % LOOKS] = Math.max(0, now - due);
    looks += 1;
    due = now + LOOK_MS;
  }, LOOK_MS).unref();
  return {
    lagMs: () => late.toSorted()[(LOOKS - 1) / 2] ?? 0,
    stop: () => clearInterval(timer),
  };
}

export const loopGauge = (lag: LagGauge, limits: () => OverloadLimits): Gauge => ({
  name: "event-loop",
  pressure: () => pressureAbove(lag.lagMs(), limits().eventLoopLagMs),
  stop: lag.stop,
});

/** The heap ends the process when it is full: there the limit is Node's. */
const HEAP_SHARE = 0.85;

export const memoryGauge = (limits: () => OverloadLimits): Gauge => ({
  name: "memory",
  pressure() {
    const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
    const held = process.memoryUsage.rss();
    return Math.max(pressureNear(held, limits().memoryMb * MB), pressureNear(used, limit * HEAP_SHARE));
  },
});

const DISK_LOOK_MS = 1_000;

/** @param dir on the disk that must not fill up @param free asked for what is left there, bytes */
export function diskGauge(dir: string, limits: () => OverloadLimits, free = freeBytes): Gauge {
  let left = Number.POSITIVE_INFINITY;
  let asking = false;
  const look = async (): Promise<void> => {
    if (asking) return;
    asking = true;
    // A disk that cannot be asked is not therefore full; who writes to it will hear.
    left = await free(dir).catch(() => Number.POSITIVE_INFINITY);
    asking = false;
  };
  void look();
  const timer = setInterval(() => void look(), DISK_LOOK_MS).unref();
  return {
    name: "disk",
    pressure: () => pressureBelow(left, limits().diskFreeMb * MB),
    stop: () => clearInterval(timer),
  };
}

const QUEUE_LOOK_MS = 1_000;
/** Above this share of its bound: clients from 88 %, everybody from 96 %. */
const QUEUE_SHARE = 0.8;

/** @param mails asked for how many there are; undefined: there is no queue @param max in force now */
export function queueGauge(mails: () => Promise<number | undefined>, max: () => number): Gauge {
  let length = 0;
  let asking = false;
  const look = async (): Promise<void> => {
    if (asking) return;
    asking = true;
    // A queue that cannot be asked cannot be written either: who tries will hear.
    length = (await mails().catch(() => undefined)) ?? 0;
    asking = false;
  };
  const timer = setInterval(() => void look(), QUEUE_LOOK_MS).unref();
  return {
    name: "queue",
    pressure: () => pressureNear(length, QUEUE_SHARE * max()),
    stop: () => clearInterval(timer),
  };
}

async function freeBytes(dir: string): Promise<number> {
  const { bavail, bsize } = await statfs(dir);
  return bavail * bsize;
}
