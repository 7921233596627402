import { execFileSync } from "node:child_process";
import { appendFileSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll } from "vitest";
import { tempDir } from "./temp.ts";

/** May this process mount a file system of its own? Asked in a mount namespace, so nothing is left behind. */
export function canMount(): boolean {
  if (process.getuid?.() !== 0) return false;
  try {
    execFileSync("unshare", ["-m", "mount", "-t", "tmpfs", "none", "/mnt"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

const mounted: string[] = [];

/** A file system of its own, small enough to fill. */
export interface SmallDisk {
  readonly dir: string;
  /** Takes all space but so many bytes, in whole blocks. */
  fill(leaveBytes?: number): void;
  /** Gives it back. */
  clear(): void;
}

export function mountSmallDisk(bytes: number): SmallDisk {
  const dir = tempDir();
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${bytes}`, "none", dir]);
  mounted.push(dir);
  const ballast = join(dir, "ballast");
  return {
    dir,
    fill(leaveBytes = 0) {
      const { bavail, bsize } = statfsSync(dir);
      const blocks = bavail - Math.ceil(leaveBytes / bsize);
      writeFileSync(ballast, "");
      for (let i = 0; i < blocks; i += 1) appendFileSync(ballast, Buffer.alloc(bsize));
    },
    clear: () => rmSync(ballast, { force: true }),
  };
}

afterAll(() => {
  for (const dir of mounted.splice(0)) execFileSync("umount", [dir]);
});
