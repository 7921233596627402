/**
 * The processes that deliver, beside the one that takes mail in: each takes what is due from the spool they share, so that accepting and
 * delivering have a processor each. One that dies is started again; its leases end with it.
 */
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Log } from "./kit/log.ts";
import type { Snapshot } from "./metrics/meter.ts";

export interface Deliverers {
  /** Something has come; told to them all, at most every few milliseconds. */
  wake(): void;
  /** Ends them; what they are trying may end within `graceMs`. */
  close(graceMs: number): Promise<void>;
}

export interface DeliverersOptions {
  readonly count: number;
  /** Each reads it for itself. */
  readonly configPath: string;
  readonly log: Log;
  /** What one has counted since the last time. */
  readonly onFigures: (figures: Snapshot) => void;
}

/** What a deliverer tells: its figures are the service's, who is asked for them. */
export interface Told {
  readonly figures: Snapshot;
}
/** It tells them so often. */
export const TELL_MS = 2_000;

/** What a deliverer is told. */
export type Word = "wake" | { readonly endWithinMs: number };

const ENTRY = fileURLToPath(new URL("./deliverer.ts", import.meta.url));
const WAKE_MS = 5;
/** One that dies is not started again at once, and later and later, should it die for a reason that lasts. */
const AGAIN_MS = 1_000;
const AGAIN_MS_MAX = 60_000;
/** Beyond the grace it was given. */
const PATIENCE_MS = 5_000;

export function startDeliverers({ count, configPath, log, onFigures }: DeliverersOptions): Deliverers {
  const children = new Set<ChildProcess>();
  let isClosing = false;
  let waking: NodeJS.Timeout | undefined;
  const say = (child: ChildProcess, word: Word): void => {
    // One that is just ending finds what is due by itself, next time.
    if (child.connected) child.send(word, () => undefined);
  };
  const start = (againMs = AGAIN_MS): void => {
    const startedAt = performance.now();
    const child = fork(ENTRY, [configPath], {
      execArgv: ["--disable-warning=ExperimentalWarning"],
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    children.add(child);
    child.on("message", ({ figures }: Told) => onFigures(figures));
    child.on("error", () => child.kill("SIGKILL"));
    child.once("exit", (code, signal) => {
      children.delete(child);
      if (isClosing) return;
      log.error({ pid: child.pid, why: signal ?? code }, "a process that delivers ended: starting another");
      const isSteady = performance.now() - startedAt > AGAIN_MS_MAX;
      const waitMs = isSteady ? AGAIN_MS : againMs;
      setTimeout(() => !isClosing && start(Math.min(waitMs * 2, AGAIN_MS_MAX)), waitMs).unref();
    });
  };
  for (let i = 0; i < count; i += 1) start();
  return {
    wake() {
      waking ??= setTimeout(() => {
        waking = undefined;
        for (const child of children) say(child, "wake");
      }, WAKE_MS);
    },
    async close(graceMs) {
      isClosing = true;
      clearTimeout(waking);
      await Promise.all([...children].map((child) => end(child, graceMs, say)));
    },
  };
}

function end(child: ChildProcess, graceMs: number, say: (child: ChildProcess, word: Word) => void): Promise<void> {
  return new Promise((resolve) => {
    const patience = setTimeout(() => child.kill("SIGKILL"), graceMs + PATIENCE_MS);
    child.once("exit", () => {
      clearTimeout(patience);
      resolve();
    });
    say(child, { endWithinMs: graceMs });
  });
}
