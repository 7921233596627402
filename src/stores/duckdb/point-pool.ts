/** Threads that read look-ups' pages (`point-worker.ts`) beside the one that asks, from when they are ready. Nobody waits for them at the end. */
import { Worker } from "node:worker_threads";
import type { Entry } from "../../ledger/entry.ts";
import type { Search } from "../../ledger/journal.ts";
import type { Hit } from "./point-read.ts";
import type { Answer, Question } from "./point-worker.ts";

export interface PointPool {
  /** Makes the threads, once. */
  start(): void;
  /** One at least. */
  isReady(): boolean;
  /** There is one that would begin at once, or next. */
  hasRoom(): boolean;
  /** @throws Error when they cannot be read, or a thread ended */
  read(search: Search, hits: readonly Hit[]): Promise<Entry[]>;
  close(): Promise<void>;
}

interface Waiting {
  resolve(entries: Entry[]): void;
  reject(error: Error): void;
}

interface Thread {
  readonly worker: Worker;
  readonly waiting: Map<number, Waiting>;
  ready: boolean;
}

/** Asked of a thread at a time: the next one is there when it is done with one. */
const WAITING_MAX = 2;

/** Young and old objects of a thread, MB: a day's entries, and pages that come and go. */
const LIMITS = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 64 };

export function createPointPool(threads: number, archiveKey: Uint8Array | undefined): PointPool {
  const pool = new Set<Thread>();
  let started = false;
  let asked = 0;
  const start = (): void => {
    if (started || threads < 1) return;
    started = true;
    for (let each = 0; each < threads; each += 1) pool.add(startThread(archiveKey, (ended) => pool.delete(ended)));
  };
  return {
    start,
    isReady: () => [...pool].some(({ ready }) => ready),
    hasRoom: () => [...pool].some(({ ready, waiting }) => ready && waiting.size < WAITING_MAX),
    read(search, hits) {
      const [thread] = [...pool].filter(({ ready }) => ready).sort((a, b) => a.waiting.size - b.waiting.size);
      if (!thread) return Promise.reject(new Error("no thread is left"));
      asked += 1;
      const id = asked;
      return new Promise((resolve, reject) => {
        thread.waiting.set(id, { resolve, reject });
        // A process does not end while somebody waits for an answer; for an idle thread it does.
        thread.worker.ref();
        thread.worker.postMessage({ id, search, hits } satisfies Question);
      });
    },
    async close() {
      started = true;
      await Promise.all([...pool].map(({ worker }) => worker.terminate()));
    },
  };
}

function startThread(archiveKey: Uint8Array | undefined, onEnd: (thread: Thread) => void): Thread {
  const worker = new Worker(new URL("./point-worker.ts", import.meta.url), {
    workerData: archiveKey,
    resourceLimits: LIMITS,
  });
  const thread: Thread = { worker, waiting: new Map(), ready: false };
  const { waiting } = thread;
  worker.unref();
  worker.on("message", (answer: Answer) => {
    if ("ready" in answer) {
      thread.ready = true;
      return;
    }
    const asker = waiting.get(answer.id);
    waiting.delete(answer.id);
    if (waiting.size === 0) worker.unref();
    if ("entries" in answer) asker?.resolve([...answer.entries]);
    else asker?.reject(new Error(answer.trouble));
  });
  // An error ends it, too.
  worker.on("error", () => undefined);
  worker.on("exit", () => {
    onEnd(thread);
    for (const { reject } of waiting.values()) reject(new Error("the thread ended"));
    waiting.clear();
  });
  return thread;
}
