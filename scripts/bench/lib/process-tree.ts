/** What a program and everything it started have cost so far, those that ended included. */
import { readdirSync, readFileSync } from "node:fs";

const CLOCK_TICKS = 100;

interface Stat {
  readonly parent: number;
  /** Own time and that of children that ended and were waited for, seconds. */
  readonly seconds: number;
}

function statOf(pid: number): Stat | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
    const seconds = [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at]), 0) / CLOCK_TICKS;
    return { parent: Number(fields[1]), seconds };
  } catch {
    return undefined;
  }
}

/** The process and all below it. */
function treeOf(root: number): number[] {
  const all = readdirSync("/proc").flatMap((name) => {
    const stat = /^\d+$/.test(name) ? statOf(Number(name)) : undefined;
    return stat ? [{ pid: Number(name), parent: stat.parent }] : [];
  });
  const found = [root];
  for (const pid of found) found.push(...all.filter(({ parent }) => parent === pid).map((each) => each.pid));
  return found;
}

/** CPU seconds of a process and all below it. */
export const treeSeconds = (root: number): number =>
  treeOf(root).reduce((sum, pid) => sum + (statOf(pid)?.seconds ?? 0), 0);

/** Memory they hold, MB: all that is mapped and in memory, and the part that is their own. */
export function treeMemoryMb(root: number): { all: number; own: number } {
  let all = 0;
  let own = 0;
  for (const pid of treeOf(root)) {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    all += Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
    own += Number(/RssAnon:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
  }
  return { all: Math.round(all), own: Math.round(own) };
}
