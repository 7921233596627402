/** A disk small enough to be filled: a file system of its own in memory, where this process may mount one. */
import { execFileSync } from "node:child_process";
import { appendFileSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface SmallDisk {
  readonly dir: string;
  /** Takes all space that is left. */
  fill(): void;
  clear(): void;
  close(): void;
}

const BYTES = 256 * 1_048_576;

/** @returns undefined where nothing may be mounted */
export function mountSmallDisk(): SmallDisk | undefined {
  const dir = mkdtempSync(join(tmpdir(), "consentry-soak-disk-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${BYTES}`, "none", dir], { stdio: "ignore" });
  } catch {
    rmSync(dir, { recursive: true });
    return undefined;
  }
  const ballast = join(dir, "ballast");
  return {
    dir,
    fill() {
      writeFileSync(ballast, "");
      const { bavail, bsize } = statfsSync(dir);
      try {
        for (let left = bavail * bsize; left > 0; left -= 1_048_576)
          appendFileSync(ballast, Buffer.alloc(Math.min(left, 1_048_576)));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
      }
    },
    clear: () => rmSync(ballast, { force: true }),
    close() {
      // Lazily: who was killed a moment ago may still hold a file.
      execFileSync("umount", ["-l", dir]);
      rmSync(dir, { recursive: true });
    },
  };
}
