import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { keptIds } from "../helpers/kept-ids.ts";
import { installed, type Program, startProgram } from "../helpers/process.ts";
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

/** Runs lmdb-child.ts under strace. */
async function traced(options: readonly string[], child: readonly string[]): Promise<Program> {
  const program = await startProgram("strace", ["-f", ...options, process.execPath, CHILD, ...child]);
  expect(await program.exited).toEqual({ code: 0, signal: null });
  return program;
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

describe.skipIf(!canTrace())("the embedded store as the kernel sees it (needs strace)", () => {
  it("says that a record is durable only after its pages are flushed and its meta page is written through", async () => {
    const dir = tempDir();
    const trace = join(dir, "trace");
    const calls = "trace=openat,pwrite64,pwritev,writev,fdatasync,write";
    await traced(["-s", "16", "-e", calls, "-o", trace], ["single", "table", dir, String(TIMES)]);
    const ended = callsOf(readFileSync(trace, "utf8"));
    // Records are opened first, then signals, which nothing is written to here.
    const [meta = ""] = ended.flatMap((call) => /data\.mdb", O_WRONLY\|O_DSYNC.* = (\d+)$/.exec(call)?.[1] ?? []);
    const words = ended.flatMap((call) => wordOf(call, meta) ?? []);
    const writes = words.slice(words.indexOf("ready") + 1);
    const one = ["pages written", "pages flushed", "meta written through", "durable"];
    const steps = writes.filter((word, i) => word !== writes[i - 1]).slice(0, one.length * TIMES);
    expect(steps).toEqual(Array.from({ length: TIMES }, () => one).flat());
  });

  it.each([
    ["flushing pages", "fdatasync:error=EIO:when=4..6"],
    ["writing pages", "writev:error=ENOSPC:when=4..6"],
    ["writing the meta page, after which LMDB wants to be opened again", "pwrite64:error=EIO:when=4..6"],
  ])("refuses a record whose disk fails at %s, and goes on once the disk does", async (_, fault) => {
    const dir = tempDir();
    // The faults are counted from the start; making the files is not what is meant.
    await keptIds("table", dir);
    const [call = ""] = fault.split(":");
    const options = ["-o", "/dev/null", "-e", `trace=${call}`, "-e", `inject=${fault}`];
    const { lines } = await traced(options, ["single", "table", dir, "60"]);
    const refusals = lines.filter((line) => line.startsWith("refused"));
    expect(refusals.length).toBeGreaterThan(0);
    expect(refusals.filter((line) => !/Unavailable: .*(i\/o error|no space left)/.test(line))).toEqual([]);
    const kept = await keptIds("table", dir);
    expect(Array.from({ length: 60 }, (__, i) => `E${i}`).filter((id) => !kept.has(id))).toEqual([]);
  });
});
