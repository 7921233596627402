/** A process and all that came of it: what they cost and hold together. Servers are measured with their workers, filters and helpers. */
import { readdirSync, readFileSync } from "node:fs";

const CLOCK_TICKS = 100;

/** What /proc says, or nothing when the process has just gone. */
function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

export function family(pid: number): number[] {
  let tasks: string[] = [];
  try {
    tasks = readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
  const children = tasks.flatMap((task) =>
    read(`/proc/${pid}/task/${task}/children`).split(" ").map(Number).filter(Boolean),
  );
  return [pid, ...children.flatMap(family)];
}

/** User and system time of all of them so far, s; those that have ended and were waited for included. */
export const familyCpuSeconds = (roots: readonly number[]): number =>
  roots.flatMap(family).reduce((sum, pid) => {
    const fields = read(`/proc/${pid}/stat`).split(") ")[1]?.split(" ") ?? [];
    return sum + [11, 12, 13, 14].reduce((all, at) => all + Number(fields[at] ?? 0), 0) / CLOCK_TICKS;
  }, 0);

/** Memory of all of them now, MB; pages that several share are counted in parts (PSS). */
export const familyMemoryMb = (roots: readonly number[]): number =>
  roots
    .flatMap(family)
    .reduce((sum, pid) => sum + Number(/^Pss:\s+(\d+)/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0) / 1024, 0);
