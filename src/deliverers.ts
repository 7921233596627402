/**
 * The processes that deliver, beside the one that takes mail in: each takes what is due from the spool they share, and is told of what has
 * just come, so that accepting and delivering have a processor each. One that dies is started again; its leases end with it, and what it was
 * told of waits for its turn.
 */
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Log } from "./kit/log.ts";
import { atEndOfTurn } from "./kit/turn.ts";
import type { Snapshot } from "./metrics/meter.ts";

export interface Deliverers {
  /** Something has come; told to them all, at most every few milliseconds. */
  wake(): void;
  /** Mails have come that may be tried at once. @returns false: they have enough of those */
  bring(ids: readonly string[]): boolean;
  /** Ends them; what they are trying may end within `graceMs`. */
  close(graceMs: number): Promise<void>;
}

export interface DeliverersOptions {
  readonly count: number;
  /** Where the configuration in force was read. */
  readonly path: string;
  /** What it said: each goes by that, also one that is started again after the file was edited. */
  readonly text: string;
  readonly log: Log;
  /** What one has counted since the last time. */
  readonly onFigures: (figures: Snapshot) => void;
  /** A mail that was brought has nobody any more. */
  readonly onLeft: (id: string) => void;
  /** One that says nothing of a mail for so long is given up; tests are less patient. */
  readonly silentMs?: number;
  /** What is started; tests have another. */
  readonly entry?: string;
}

/** What a deliverer is told; first of all by what it works. */
export type Word =
  | { readonly begin: { readonly path: string; readonly text: string } }
  | "wake"
  | { readonly bring: readonly string[] }
  | { readonly endWithinMs: number };
/** What it tells: that it is there, which of the mails it was brought need no more care, and what it has counted since the last time. */
export type Answer = "ready" | { readonly over: readonly string[] } | { readonly figures: Snapshot };

/** Figures are told so often. */
export const FIGURES_MS = 2_000;

const ENTRY = fileURLToPath(new URL("./deliverer.ts", import.meta.url));
const WAKE_MS = 5;
/** One that dies is not started again at once, and later and later, should it die for a reason that lasts. */
const AGAIN_MS = 1_000;
const AGAIN_MS_MAX = 60_000;
/** Beyond the grace it was given. */
const PATIENCE_MS = 5_000;
/** Mails that one was brought and has not done with. */
const BROUGHT_MAX = 1_000;
/** Within two seconds a mail is settled, leased or in the index: who says nothing of it for so long hangs. */
const SILENT_MS = 60_000;

interface Deliverer {
  readonly child: ChildProcess;
  /** What it was brought, and when, oldest first. */
  readonly brought: Map<string, number>;
  /** Of these, what it has not been told yet. */
  untold: string[];
  toldAt: number;
  isReady: boolean;
}

export function startDeliverers(options: DeliverersOptions): Deliverers {
  const { count, path, text, log, onFigures, onLeft, entry = ENTRY, silentMs = SILENT_MS } = options;
  const all = new Set<Deliverer>();
  let isClosing = false;
  let waking: NodeJS.Timeout | undefined;
  const start = (againMs = AGAIN_MS): void => {
    const startedAt = performance.now();
    const deliverer = startOne(entry, onFigures);
    const { child } = deliverer;
    all.add(deliverer);
    say(child, { begin: { path, text } });
    child.once("exit", (code, signal) => {
      all.delete(deliverer);
      for (const id of deliverer.brought.keys()) onLeft(id);
      if (isClosing) return;
      log.error({ pid: child.pid, why: signal ?? code }, "a process that delivers ended: starting another");
      const isSteady = performance.now() - startedAt > AGAIN_MS_MAX;
      const waitMs = isSteady ? AGAIN_MS : againMs;
      setTimeout(() => !isClosing && start(Math.min(waitMs * 2, AGAIN_MS_MAX)), waitMs).unref();
    });
  };
  for (let i = 0; i < count; i += 1) start();
  const looking = setInterval(() => {
    for (const each of all) for (const id of overdue(each, silentMs)) onLeft(id);
  }, silentMs / 4).unref();
  return {
    wake() {
      waking ??= setTimeout(() => {
        waking = undefined;
        for (const { child } of all) say(child, "wake");
      }, WAKE_MS);
    },
    bring(ids) {
      const least = leastBusy(all);
      if (isClosing || !least || least.brought.size + ids.length > BROUGHT_MAX) return false;
      bringTo(least, ids);
      return true;
    },
    async close(graceMs) {
      isClosing = true;
      clearInterval(looking);
      clearTimeout(waking);
      await Promise.all([...all].map(({ child }) => end(child, graceMs)));
    },
  };
}

function startOne(entry: string, onFigures: (figures: Snapshot) => void): Deliverer {
  const child = fork(entry, [], {
    execArgv: ["--disable-warning=ExperimentalWarning"],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const deliverer: Deliverer = { child, brought: new Map(), untold: [], toldAt: 0, isReady: false };
  child.on("error", () => child.kill("SIGKILL"));
  child.on("message", (answer: Answer) => {
    deliverer.isReady = true;
    if (answer === "ready") return;
    if ("figures" in answer) onFigures(answer.figures);
    else for (const id of answer.over) deliverer.brought.delete(id);
  });
  return deliverer;
}

/** One that is just ending finds what is due by itself, next time. */
function say(child: ChildProcess, word: Word): void {
  if (child.connected) child.send(word, () => undefined);
}

function leastBusy(all: Iterable<Deliverer>): Deliverer | undefined {
  let least: Deliverer | undefined;
  for (const each of all) {
    if (!each.isReady || !each.child.connected) continue;
    if (!least || each.brought.size < least.brought.size) least = each;
  }
  return least;
}

/** What comes in one turn of the event loop is told together, and, when it is busy, what comes in some more. */
function bringTo(deliverer: Deliverer, ids: readonly string[]): void {
  const nowMs = performance.now();
  for (const id of ids) deliverer.brought.set(id, nowMs);
  if (deliverer.untold.push(...ids) > ids.length) return;
  const sinceMs = nowMs - deliverer.toldAt;
  if (sinceMs >= WAKE_MS) atEndOfTurn(() => tellBrought(deliverer));
  else setTimeout(() => tellBrought(deliverer), WAKE_MS - sinceMs);
}

function tellBrought(deliverer: Deliverer): void {
  deliverer.toldAt = performance.now();
  say(deliverer.child, { bring: deliverer.untold });
  deliverer.untold = [];
}

/** Takes back what it has said nothing of for too long; until it speaks it is brought nothing more. */
function overdue(deliverer: Deliverer, silentMs: number): string[] {
  const bornMs = performance.now() - silentMs;
  const late = [...deliverer.brought].filter(([, sinceMs]) => sinceMs < bornMs).map(([id]) => id);
  for (const id of late) deliverer.brought.delete(id);
  if (late.length > 0) deliverer.isReady = false;
  return late;
}

function end(child: ChildProcess, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const patience = setTimeout(() => child.kill("SIGKILL"), graceMs + PATIENCE_MS);
    child.once("exit", () => {
      clearTimeout(patience);
      resolve();
    });
    say(child, { endWithinMs: graceMs });
  });
}
