/**
 * A process of its own for the tests of what remembers on disk: `node lmdb-child.ts write|single KIND DIR …`, KIND being `table` or
 * `journal`, or `node lmdb-child.ts count|hold|take DIR …`. It says what it has done once it is done, line by line, written before it
 * goes on.
 */
import { writeSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { systemClock } from "../../src/kit/clock.ts";
import { openJournal } from "../../src/stores/hourlog/journal.ts";
import { Environment } from "../../src/stores/lmdb/environment.ts";
import { openLmdbStore } from "../../src/stores/lmdb/store.ts";

const timeoutMs = 10_000;
const say = (line: string): void => void writeSync(1, `${line}\n`);

/** Writes under these ids, all of them durable when it resolves. */
interface Recorder {
  write(ids: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

async function openRecorder(kind: string, dir: string): Promise<Recorder> {
  if (kind === "journal") {
    const journal = await openJournal(dir, { timeoutMs });
    const entryOf = (id: string) => ({
      id,
      at: Date.now(),
      event: "received" as const,
      reply: "x".repeat(id.length * 9),
    });
    return { write: (ids) => journal.append(ids.map(entryOf)), close: () => journal.close() };
  }
  const store = await openLmdbStore({ dir, timeoutMs, clock: systemClock });
  const rowOf = (id: string) => ({ key: { partition: id.slice(-2), id }, value: "x".repeat(id.length * 9) });
  return { write: (ids) => store.tables.putMany("t", ids.map(rowOf)), close: () => store.close() };
}

/** Writes without end, a few at once and several writes in flight, and says each id once it is durable. */
async function write(kind: string, dir: string, run: string): Promise<void> {
  const recorder = await openRecorder(kind, dir);
  let count = 0;
  const writeSome = async (): Promise<void> => {
    const ids = Array.from({ length: 1 + (count % 4) }, () => {
      count += 1;
      return `${run}-${count}`;
    });
    await recorder.write(ids);
    for (const id of ids) say(id);
  };
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      while (true) await writeSome();
    }),
  );
}

/** Writes one after the other, and says each once it is durable; repeats what is refused, and says that too. */
async function single(kind: string, dir: string, times: string): Promise<void> {
  const recorder = await openRecorder(kind, dir);
  say("ready");
  for (let i = 0; i < Number(times); ) {
    try {
      await recorder.write([`E${i}`]);
      say(`durable E${i}`);
      i += 1;
    } catch (error) {
      say(`refused ${error}`);
      await delay(50);
    }
  }
  await recorder.close();
}

/** Counts one record up so many times, each time from the version it read. */
async function count(dir: string, times: string): Promise<void> {
  const store = await openLmdbStore({ dir, timeoutMs, clock: systemClock });
  const key = { partition: "p", id: "counter" };
  const up = async (): Promise<void> => {
    while (true) {
      const now = await store.tables.get("t", key);
      const value = ((now?.value ?? 0) as number) + 1;
      if ((await store.tables.put("t", key, value, now?.version ?? 0)) !== undefined) return;
    }
  };
  let left = Number(times);
  const counter = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await up();
    }
  };
  await Promise.all([counter(), counter(), counter()]);
  await store.close();
  say("done");
}

/** Takes from so many windows until all of them refuse, says each that was granted, and gives three of four back again at once. */
async function take(dir: string, windows: string, max: string): Promise<void> {
  const store = await openLmdbStore({ dir, timeoutMs, clock: systemClock });
  const open = Array.from({ length: Number(windows) }, (_, number) => number);
  const taker = async (): Promise<void> => {
    while (open.length > 0) {
      const number = open[Math.floor(Math.random() * open.length)] ?? 0;
      const key = { partition: `reader${number}@x.example`, id: "cap" };
      const { granted } = await store.windows.take(key, { max: Number(max), windowMs: 86_400_000 });
      if (granted && Math.random() < 0.75) await store.windows.giveBack(key);
      else if (granted) say(`granted ${number}`);
      else if (open.includes(number)) open.splice(open.indexOf(number), 1);
    }
  };
  await Promise.all(Array.from({ length: 64 }, taker));
  await store.close();
}

/** Stops in the middle of a transaction, with LMDB's write lock in its hands. */
async function hold(dir: string): Promise<void> {
  const environment = new Environment({ dir: `${dir}/store`, names: ["tables"], dependency: "store", timeoutMs });
  await environment.write(() => {
    say("holding");
    process.kill(process.pid, "SIGSTOP");
  });
  await environment.close();
}

/** Opens the same environment again while a commit of this process has LMDB's lock and waits for the event loop. */
async function again(dir: string): Promise<void> {
  const place = { dir: `${dir}/store`, names: ["tables"], dependency: "store", timeoutMs } as const;
  // After how many turns of the loop the commit is there is lmdb-js's affair.
  for (let turns = 0; turns < 6; turns += 1) {
    const first = new Environment(place);
    const written = first.write(({ tables }) => void tables.put(Buffer.from("a"), `${turns}`));
    for (let turn = 0; turn < turns; turn += 1) await new Promise(setImmediate);
    // The event loop does nothing else; the thread that commits takes the lock, and wants it to.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
    const second = new Environment(place);
    await written;
    await first.close();
    say(`read ${await second.read(({ tables }) => tables.get(Buffer.from("a")))}`);
    await second.close();
  }
}

const tasks: Readonly<Record<string, (...args: string[]) => Promise<void>>> = {
  write: (kind = "", dir = "", run = "") => write(kind, dir, run),
  single: (kind = "", dir = "", times = "") => single(kind, dir, times),
  count: (dir = "", times = "") => count(dir, times),
  hold: (dir = "") => hold(dir),
  again: (dir = "") => again(dir),
  take: (dir = "", windows = "", max = "") => take(dir, windows, max),
};
const [task = "", ...args] = process.argv.slice(2);
await tasks[task]?.(...args);
