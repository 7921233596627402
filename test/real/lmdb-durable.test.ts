import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { openJournal } from "../../src/stores/lmdb/journal.ts";
import { collect } from "../contract/tables.ts";
import { installed, startProgram } from "../helpers/process.ts";
import { tempDir } from "../helpers/temp.ts";

const CHILD = fileURLToPath(new URL("../helpers/lmdb-child.ts", import.meta.url));
const TIMES = 10;

function canTrace(): boolean {
  if (!installed("strace")) return false;
  try {
    execFileSync("strace", ["-f", "-o", "/dev/null", "true"]);
    return true;
  } catch {
    return false;
  }
}

/** System calls as they ended; strace cuts those in two that another thread interrupts. */
function callsOf(trace: string): string[] {
  const begun = new Map<string, string>();
  return trace.split("\n").flatMap((line) => {
    const [, thread = "", call = ""] = /^(\d+)\s+(.*)$/.exec(line) ?? [];
    if (call.endsWith("<unfinished ...>")) {
      begun.set(thread, call.replace(" <unfinished ...>", ""));
      return [];
    }
    return [call.replace(/^<\.\.\. \w+ resumed>/, () => begun.get(thread) ?? "")];
  });
}

/** What matters of a call, in one word. */
function wordOf(call: string, metaFile: string): string | undefined {
  if (/^fdatasync\(.*= 0$/.test(call)) return "pages flushed";
  if (call.startsWith(`pwrite64(${metaFile},`)) return "meta written through";
  if (/^p?writev\(\d+, \[\{/.test(call) || call.startsWith("pwrite64(")) return "pages written";
  return /^write\(1, "(ready|durable)/.exec(call)?.[1];
}

describe.skipIf(!canTrace())("the embedded journal as the kernel sees it (needs strace)", () => {
  it("says that an append is done only after its pages are flushed and its meta page is written through", async () => {
    const dir = tempDir();
    const trace = join(dir, "trace");
    const calls = "trace=openat,pwrite64,pwritev,writev,fdatasync,write";
    const child = [process.execPath, CHILD, "single", join(dir, "ledger"), String(TIMES)];
    const program = await startProgram("strace", ["-f", "-s", "16", "-e", calls, "-o", trace, ...child]);
    expect((await program.exited).code).toBe(0);
    const ended = callsOf(readFileSync(trace, "utf8"));
    const meta = ended.flatMap((call) => /data\.mdb", O_WRONLY\|O_DSYNC.* = (\d+)$/.exec(call)?.[1] ?? []);
    expect(meta).toHaveLength(1);
    const words = ended.flatMap((call) => wordOf(call, meta[0] ?? "") ?? []);
    const appends = words.slice(words.indexOf("ready") + 1);
    const one = ["pages written", "pages flushed", "meta written through", "durable"];
    const steps = appends.filter((word, i) => word !== appends[i - 1]).slice(0, one.length * TIMES);
    expect(steps).toEqual(Array.from({ length: TIMES }, () => one).flat());
  });

  it.each([
    ["flushing pages", "fdatasync:error=EIO:when=4..6"],
    ["writing pages", "writev:error=ENOSPC:when=4..6"],
    [
      "writing the meta page, after which LMDB refuses everything until it is opened again",
      "pwrite64:error=EIO:when=4..6",
    ],
  ])("refuses an append whose disk fails at %s, and goes on once the disk does", async (_, fault) => {
    const dir = tempDir();
    const [call = ""] = fault.split(":");
    const strace = ["-f", "-o", join(dir, "trace"), "-e", `trace=${call}`, "-e", `inject=${fault}`];
    const program = await startProgram("strace", [...strace, process.execPath, CHILD, "single", dir, "60"]);
    expect(await program.exited).toEqual({ code: 0, signal: null });
    const refusals = program.lines.filter((line) => line.startsWith("refused"));
    expect(refusals.length).toBeGreaterThan(0);
    expect(refusals.every((line) => /Unavailable: .*(i\/o error|no space left)/.test(line))).toBe(true);
    const journal = await openJournal(dir);
    const kept = await collect(journal.find({}));
    expect(kept.map(({ id }) => id).sort()).toEqual(Array.from({ length: 60 }, (__, i) => `E${i}`).sort());
    await journal.close();
  });
});
