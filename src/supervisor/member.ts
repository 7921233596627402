/** One worker as its supervisor sees it: started, asked, listened to, gone. */
import cluster, { type Worker } from "node:cluster";
import type { Snapshot } from "../metrics/meter.ts";
import type { Counts, Order, Question, Report } from "./messages.ts";
import { followHandings } from "./untaken.ts";

/** How a worker ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  /** Its own last words. */
  readonly why?: string;
  /** Whoever started it can mend that. */
  readonly misuse: boolean;
  /** How long it had run, ms. */
  readonly livedMs: number;
}

export interface Ready {
  readonly addresses: readonly string[];
  readonly nextHop: string;
}

export interface Member {
  /** From 1; one that ended is followed by another of the same number. */
  readonly number: number;
  readonly pid: number;
  /** The configuration it works by. */
  text: string;
  readonly isReady: boolean;
  /** Rejects when it ends before. */
  readonly ready: Promise<Ready>;
  readonly ended: Promise<Ended>;
  /** When it was heard last, ms on the clock that never jumps. */
  readonly heardAt: number;
  tell(order: Order): void;
  /** @throws Error in its words when it says no, when it does not answer in time, or ends */
  ask(question: Question, timeoutMs: number): Promise<Snapshot | undefined>;
  kill(): void;
}

type Done = Extract<Report, { report: "done" }>;

interface Waiting {
  resolve(snapshot: Snapshot | undefined): void;
  reject(error: Error): void;
}

export interface MemberOptions {
  readonly number: number;
  readonly path: string;
  readonly text: string;
  readonly onConnections: (counts: Counts) => void;
  /** It wants the figures of all. */
  readonly onGather: (id: number) => void;
}

/** Starts one. `cluster.setupPrimary` has said what runs. */
export function startMember({ number, path, text, onConnections, onGather }: MemberOptions): Member {
  const worker = cluster.fork();
  const closeUntaken = followHandings(worker.process);
  const startedAt = performance.now();
  const waiting = new Map<number, Waiting>();
  let asked = 0;
  let heardAt = startedAt;
  let isReady = false;
  let last: { why: string; misuse: boolean } | undefined;
  const ended = endOf(worker).then(({ code, signal }): Ended => {
    closeUntaken();
    for (const each of waiting.values()) each.reject(new Error("it ended"));
    const livedMs = performance.now() - startedAt;
    return { code, signal, livedMs, misuse: last?.misuse ?? false, ...(last && { why: last.why }) };
  });
  const ready = new Promise<Ready>((resolve, reject) => {
    void ended.then(() => reject(new Error("it ended")));
    worker.on("message", (report: Report) => {
      heardAt = performance.now();
      if (report.report === "ready") {
        isReady = true;
        resolve(report);
      } else if (report.report === "failed") last = report;
      else if (report.report === "connections") onConnections(report.counts);
      else if (report.report === "gather") onGather(report.id);
      else if (report.report === "done") settle(waiting, report);
    });
  });
  // Who waits for it hears of a failure; nobody has to.
  ready.catch(() => undefined);
  const tell = (order: Order): void => {
    if (worker.isConnected()) worker.send(order, () => undefined);
  };
  tell({ order: "start", worker: number, path, text });
  return {
    number,
    pid: worker.process.pid ?? 0,
    text,
    ready,
    ended,
    get isReady() {
      return isReady;
    },
    get heardAt() {
      return heardAt;
    },
    tell,
    ask(question, timeoutMs) {
      asked += 1;
      const id = asked;
      return new Promise<Snapshot | undefined>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`no answer in ${timeoutMs} ms`)), timeoutMs);
        const end = (tellOn: () => void): void => {
          clearTimeout(timer);
          waiting.delete(id);
          tellOn();
        };
        waiting.set(id, {
          resolve: (snapshot) => end(() => resolve(snapshot)),
          reject: (error) => end(() => reject(error)),
        });
        if (worker.isDead()) waiting.get(id)?.reject(new Error("it ended"));
        else tell({ ...question, id });
      });
    },
    kill: () => void worker.process.kill("SIGKILL"),
  };
}

function settle(waiting: Map<number, Waiting>, { id, problem, snapshot }: Done): void {
  const asker = waiting.get(id);
  if (problem === undefined) asker?.resolve(snapshot);
  else asker?.reject(new Error(problem));
}

const endOf = (worker: Worker): Promise<{ code: number | null; signal: string | null }> =>
  new Promise((resolve) => {
    worker.once("exit", (code: number | null, signal: string | null) => resolve({ code, signal }));
    worker.once("error", () => resolve({ code: null, signal: null }));
  });
