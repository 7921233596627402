/**
 * A process of its own for the tests of the embedded store: `node lmdb-child.ts append|single|count|hold DIR …`. It says on its output
 * what it has done once it is done, line by line, written before it goes on.
 */
import { writeSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { systemClock } from "../../src/kit/clock.ts";
import { Environment } from "../../src/stores/lmdb/environment.ts";
import { openJournal } from "../../src/stores/lmdb/journal.ts";
import { openLmdbStore } from "../../src/stores/lmdb/store.ts";

const [task = "", dir = "", ...rest] = process.argv.slice(2);
const timeoutMs = 10_000;
const say = (line: string): void => void writeSync(1, `${line}\n`);

/** Appends without end, a few entries at once and several appends in flight, and says each id once it is durable. */
async function append(run: string): Promise<void> {
  const journal = await openJournal(dir, { timeoutMs });
  let count = 0;
  const appendSome = async (): Promise<void> => {
    const entries = Array.from({ length: 1 + (count % 4) }, () => {
      count += 1;
      return { id: `${run}-${count}`, at: Date.now(), event: "received" as const, reply: "x".repeat(count % 300) };
    });
    await journal.append(entries);
    for (const { id } of entries) say(id);
  };
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      while (true) await appendSome();
    }),
  );
}

/** Appends one entry after the other, and says each once it is durable; repeats what is refused, and says that too. */
async function single(times: number): Promise<void> {
  const journal = await openJournal(dir, { timeoutMs });
  say("ready");
  for (let i = 0; i < times; ) {
    try {
      await journal.append([{ id: `E${i}`, at: Date.now(), event: "received" }]);
      say(`durable E${i}`);
      i += 1;
    } catch (error) {
      say(`refused ${error}`);
      await delay(50);
    }
  }
  await journal.close();
}

/** Counts one record up so many times, each time from the version it read. */
async function count(times: number): Promise<void> {
  const store = await openLmdbStore({ dir, timeoutMs, clock: systemClock });
  const key = { partition: "p", id: "counter" };
  const up = async (): Promise<void> => {
    while (true) {
      const now = await store.tables.get("t", key);
      const value = ((now?.value ?? 0) as number) + 1;
      if ((await store.tables.put("t", key, value, now?.version ?? 0)) !== undefined) return;
    }
  };
  say("ready");
  let left = times;
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

/** Stops in the middle of a transaction, with LMDB's write lock in its hands. */
async function hold(): Promise<void> {
  const environment = new Environment({ dir: `${dir}/store`, names: ["tables"], dependency: "store", timeoutMs });
  await environment.write(() => {
    say("holding");
    process.kill(process.pid, "SIGSTOP");
  });
  await environment.close();
  say("done");
}

const tasks: Readonly<Record<string, () => Promise<void>>> = {
  append: () => append(rest[0] ?? ""),
  single: () => single(Number(rest[0])),
  count: () => count(Number(rest[0])),
  hold,
};
await tasks[task]?.();
