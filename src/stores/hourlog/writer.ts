/**
 * Group commit: everything that arrives while one write is on its way to disk goes into the next, and a write begins only some
 * turns of the event loop later, when others have come too; so one flush serves many mails, the more the busier it is.
 *
 * Bounded: a disk that does not answer, or refuses, fails what waits, and everything after it at once until it answers again.
 */
import { setImmediate as breathe } from "node:timers/promises";
import { withDeadline } from "../../kit/deadline.ts";
import { Unavailable } from "../../kit/trouble.ts";
import type { Urgency } from "../../ledger/journal.ts";
import { createHourFiles } from "./files.ts";

export interface Line {
  /** Which file it belongs to. */
  readonly hour: string;
  /** Ends with a newline. */
  readonly text: string;
}

interface Waiting {
  readonly lines: readonly Line[];
  resolve(): void;
  reject(error: unknown): void;
}

export interface LineWriter {
  /** @throws Unavailable("ledger") */
  append(lines: readonly Line[], when: Urgency): Promise<void>;
  /** Ends the file of an hour nobody writes in any more, when it is open. */
  release(hour: string): Promise<void>;
  close(): Promise<void>;
}

const WAITING_MAX = 50_000;
/** Turns of the event loop to wait for company: nothing when idle; under load three gave a fifth more mails than one or six. */
const TURNS = 3;
/** After a failure nothing is tried for so long, so that a full disk is not hammered. */
const REST_MS = 250;
/** How long lines that nobody waits for may wait. */
const SOON_MS = 50;

const unavailable = (why: string, cause?: unknown): Unavailable =>
  new Unavailable("ledger", `the ledger: ${why}`, cause);

export function createLineWriter(dir: string, timeoutMs: number): LineWriter {
  const files = createHourFiles(dir);
  let waiting: Waiting[] = [];
  let working: Promise<void> | undefined;
  let later: NodeJS.Timeout | undefined;
  let beganAt = Number.NEGATIVE_INFINITY;
  /** Writes that have not come back; one that is late is given up, but it still occupies the disk. */
  let unanswered = 0;
  let restsUntil = Number.NEGATIVE_INFINITY;
  let closed = false;

  const write = async (hour: string, text: string): Promise<void> => {
    unanswered += 1;
    const writing = files.write(hour, text).finally(() => {
      unanswered -= 1;
    });
    await withDeadline(writing, timeoutMs, "ledger", "writing the ledger");
  };
  const writeAll = async (batch: readonly Waiting[]): Promise<void> => {
    beganAt = performance.now();
    try {
      for (const [hour, text] of byHour(batch)) await write(hour, text);
      for (const each of batch) each.resolve();
    } catch (error) {
      const why = error instanceof Unavailable ? error : unavailable(`cannot be written: ${codeOf(error)}`, error);
      restsUntil = performance.now() + REST_MS;
      for (const each of [...batch, ...waiting.splice(0)]) each.reject(why);
    }
  };
  const work = async (): Promise<void> => {
    while (waiting.length > 0) {
      for (let turn = 0; turn < TURNS; turn += 1) await breathe();
      const batch = waiting;
      waiting = [];
      await writeAll(batch);
    }
    working = undefined;
  };
  const start = (): void => {
    clearTimeout(later);
    later = undefined;
    if (waiting.length > 0) working ??= work();
  };
  const refusal = (): Unavailable | undefined => {
    if (closed) return unavailable("closed");
    if (performance.now() < restsUntil) return unavailable("the disk refused a moment ago");
    if (unanswered > 0 && performance.now() - beganAt > timeoutMs) return unavailable("the disk does not answer");
    return waiting.length > WAITING_MAX ? unavailable("too many entries wait for the disk") : undefined;
  };
  return {
    append(lines, when) {
      const refused = refusal();
      if (refused) return Promise.reject(refused);
      return new Promise((resolve, reject) => {
        waiting.push({ lines, resolve, reject });
        if (when === "now") start();
        else if (!working) later ??= setTimeout(start, SOON_MS);
      });
    },
    release: files.release,
    async close() {
      closed = true;
      start();
      await working;
      await files.close();
    },
  };
}

function byHour(batch: readonly Waiting[]): Map<string, string> {
  const texts = new Map<string, string>();
  for (const { lines } of batch) {
    for (const { hour, text } of lines) texts.set(hour, (texts.get(hour) ?? "") + text);
  }
  return texts;
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException)?.code ?? "failed";
