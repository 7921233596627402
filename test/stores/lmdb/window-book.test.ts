import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Key } from "../../../src/kit/store.ts";
import { createChangeLog } from "../../../src/stores/lmdb/change-log.ts";
import type { Dbs, Rows } from "../../../src/stores/lmdb/open.ts";
import { createWindowBook, type WindowBook } from "../../../src/stores/lmdb/window-book.ts";
import { giveBackTo, takeFrom, type WindowState } from "../../../src/stores/window-state.ts";

type Books = Dbs<"windows" | "changes">;
type Data = Map<string, string>;

/** As much of an LMDB database as the book uses, in memory, on whatever `data` is now. */
function rowsOn(data: () => Data): Rows {
  const text = (key: Uint8Array): string => Buffer.from(key).toString("latin1");
  const bytes = (key: string): Buffer => Buffer.from(key, "latin1");
  interface Range {
    start?: Buffer;
    exclusiveStart?: boolean;
    reverse?: boolean;
    limit?: number;
  }
  const keys = ({ start, exclusiveStart = false, reverse = false, limit }: Range = {}): string[] => {
    const from = start && text(start);
    const all = [...data().keys()].sort();
    const inside = all.filter((key) => from === undefined || (exclusiveStart ? key > from : key >= from));
    return (reverse ? inside.reverse() : inside).slice(0, limit);
  };
  return {
    get: (key: Buffer) => data().get(text(key)),
    put: (key: Buffer, row: string) => void data().set(text(key), row),
    remove: (key: Buffer) => void data().delete(text(key)),
    doesExist: (key: Buffer) => data().has(text(key)),
    getKeys: (range?: Range) => keys(range).map(bytes),
    getRange: (range?: Range) => keys(range).map((key) => ({ key: bytes(key), value: data().get(key) ?? "" })),
  } as unknown as Rows;
}

/** Two databases that several processes share, each with its own book; a transaction can be lost, and what is on its way to disk is not seen. */
function disk(processes: number, roundChars: number) {
  let committed = { windows: new Map() as Data, changes: new Map() as Data };
  let current = committed;
  const books = Array.from({ length: processes }, () => createWindowBook(roundChars));
  const dbs: Books = { windows: rowsOn(() => current.windows), changes: rowsOn(() => current.changes) };
  return {
    bookOf: (process: number): WindowBook => books[process] as WindowBook,
    dbs,
    rows: () => ({ windows: committed.windows.size, changes: committed.changes.size }),
    /** @param meanwhile sees the disk as it is before the commit */
    transaction(process: number, work: () => void, { isLost = false, meanwhile = () => {} } = {}): void {
      const book = books[process] as WindowBook;
      const before = committed;
      current = { windows: new Map(before.windows), changes: new Map(before.changes) };
      book.begin();
      work();
      book.end(dbs);
      const after = current;
      current = before;
      meanwhile();
      committed = isLost ? before : after;
      current = committed;
    },
    restart: (process: number): void => {
      books[process] = createWindowBook(roundChars);
    },
  };
}

const QUOTA = { max: 5, windowMs: 10_000 };
const keyOf = (number: number): Key => ({ partition: `reader${number}@x.example`, id: "cap shop" });

function takeIn(turn: ReturnType<WindowBook["turn"]>, key: Key, nowMs: number): boolean {
  const { state, grant } = takeFrom(turn.load(key).state, QUOTA, nowMs);
  if (grant.granted) turn.save(key, { expiresAtMs: (state.at(-2) ?? nowMs) + QUOTA.windowMs, state });
  return grant.granted;
}

describe("windows with their changes in front", () => {
  it("are what one who keeps everything in his head says, whoever takes, gives back, looks, dies or loses a transaction", () => {
    const KEYS = 40;
    const step = fc.record({
      process: fc.nat(2),
      ops: fc.array(fc.record({ key: fc.nat(KEYS - 1), giveBack: fc.boolean() }), { minLength: 1, maxLength: 6 }),
      passMs: fc.integer({ min: 0, max: 3_000 }),
      fate: fc.constantFrom("kept", "kept", "kept", "kept", "lost", "dies"),
      looker: fc.nat(2),
    });
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 80 }),
        fc.constantFrom(3_000, 8_000, 60_000, 2_000_000),
        (steps, roundChars) => {
          const shared = disk(3, roundChars);
          let known = new Map<number, WindowState>();
          let nowMs = 1_000_000;
          // Who lost a transaction may believe in it until he writes again.
          const deceived = new Set<number>();
          for (const { process, ops, passMs, fate, looker } of steps) {
            nowMs += passMs;
            const before = known;
            const after = new Map(known);
            const look = (states: ReadonlyMap<number, WindowState>, whose: number) => {
              if (deceived.has(whose)) return;
              const reader = shared.bookOf(whose).look(shared.dbs);
              for (let key = 0; key < KEYS; key += 1) {
                const taken = (state: WindowState) => takeFrom(state, { ...QUOTA, n: 0 }, nowMs).grant.taken;
                expect(taken(reader.load(keyOf(key)).state)).toBe(taken(states.get(key) ?? []));
              }
            };
            const work = (): void => {
              for (const { key, giveBack } of ops) {
                const turn = shared.bookOf(process).turn(shared.dbs);
                if (giveBack) {
                  const { state, expiresAtMs } = turn.load(keyOf(key));
                  turn.save(keyOf(key), { expiresAtMs, state: giveBackTo(state, 1) });
                  after.set(key, giveBackTo(after.get(key) ?? [], 1));
                } else {
                  const { state, grant } = takeFrom(after.get(key) ?? [], QUOTA, nowMs);
                  expect(takeIn(turn, keyOf(key), nowMs)).toBe(grant.granted);
                  if (grant.granted) after.set(key, state);
                }
                turn.end(nowMs);
              }
            };
            deceived.delete(process);
            const seen = looker === process ? after : before;
            shared.transaction(process, work, { isLost: fate !== "kept", meanwhile: () => look(seen, looker) });
            if (fate === "kept") known = after;
            if (fate === "lost") deceived.add(process);
            if (fate === "dies") shared.restart(process);
            look(known, looker);
          }
          shared.transaction(0, () => {
            const turn = shared.bookOf(0).turn(shared.dbs);
            for (let key = 0; key < KEYS; key += 1) {
              const fresh = takeFrom(known.get(key) ?? [], { ...QUOTA, n: 0 }, nowMs);
              expect(takeFrom(turn.load(keyOf(key)).state, { ...QUOTA, n: 0 }, nowMs).grant).toEqual(fresh.grant);
            }
          });
        },
      ),
      { numRuns: 300 },
    );
  });

  it("are forgotten by who only reads when others have put them in their places", () => {
    const log = createChangeLog();
    const shared = disk(1, 100_000);
    let most = 0;
    for (let number = 0; number < 8_000; number += 20) {
      shared.transaction(0, () => {
        const turn = shared.bookOf(0).turn(shared.dbs);
        for (let key = number; key < number + 20; key += 1) takeIn(turn, keyOf(key), 1);
        turn.end(1);
      });
      log.readOn(shared.dbs.changes, false);
      most = Math.max(most, log.size);
    }
    const changeChars = 50;
    expect(most).toBeLessThan(100_000 / changeChars);
  });

  it("are put in their places in time: neither the log nor what is unread grows with the number of changes", () => {
    const ROUND_CHARS = 100_000;
    const shared = disk(2, ROUND_CHARS);
    const sizes: number[] = [];
    for (let number = 0; number < 12_000; number += 20) {
      const process = number % 40 === 0 ? 0 : 1;
      shared.transaction(process, () => {
        const turn = shared.bookOf(process).turn(shared.dbs);
        for (let key = number; key < number + 20; key += 1) takeIn(turn, keyOf(key), 1);
        turn.end(1);
      });
      sizes.push(shared.rows().changes);
    }
    const changeChars = 60;
    expect(Math.max(...sizes)).toBeLessThan(((2 * ROUND_CHARS) / (20 * changeChars)) * 1.5);
    expect(shared.rows().windows).toBeGreaterThan(9_000);
  });

  it("that are over, or empty again, leave no row behind", () => {
    const shared = disk(1, 6_000);
    const each = (work: (turn: ReturnType<WindowBook["turn"]>, number: number) => void, nowMs: number): void => {
      for (let number = 0; number < 400; number += 1) {
        shared.transaction(0, () => {
          const turn = shared.bookOf(0).turn(shared.dbs);
          work(turn, number);
          turn.end(nowMs);
        });
      }
    };
    each((turn, number) => void takeIn(turn, keyOf(number), 1), 1);
    expect(shared.rows().windows).toBeGreaterThan(200);
    each((turn, number) => turn.save(keyOf(number), { expiresAtMs: 5_000, state: [] }), 2);
    each((turn) => turn.save(keyOf(1_000), { expiresAtMs: 5_000, state: [3, 1] }), 3);
    expect(shared.rows().windows).toBeLessThan(5);
  });

  describe("spread over a round", () => {
    const ROUND_CHARS = 100_000;
    const ALL = Array.from({ length: 20 }, (_, number) => number);
    function world() {
      const shared = disk(3, ROUND_CHARS);
      return {
        ...shared,
        change: (process: number, from: number, to: number): void =>
          shared.transaction(process, () => {
            const turn = shared.bookOf(process).turn(shared.dbs);
            for (let number = from; number < to; number += 1) takeIn(turn, keyOf(number), 1);
            turn.end(1);
          }),
        taken(process: number): number[] {
          const reader = shared.bookOf(process).look(shared.dbs);
          return ALL.map((number) => reader.load(keyOf(number)).state[1] ?? 0);
        },
      };
    }

    it("are what others made of them since, also where this process had put them in their places before", () => {
      const { change, taken } = world();
      change(0, 0, 20);
      for (let number = 100; number < 1_700; number += 20) change(0, number, number + 20);
      change(1, 0, 20);
      // Not quite a round: what process 0 saw last is still in the log.
      for (let number = 5_000; number < 7_140; number += 20) change(1, number, number + 20);
      expect(taken(0)).toEqual(ALL.map(() => 2));
    });

    it("are known to a process that begins at any moment, in their places or not", () => {
      const { change, taken, restart } = world();
      change(0, 0, 20);
      for (let number = 100; number < 4_100; number += 20) {
        change(0, number, number + 20);
        restart(2);
        expect(taken(2)).toEqual(ALL.map(() => 1));
      }
    });
  });

  it("change nothing when a step throws before its end", () => {
    const shared = disk(1, 60_000);
    shared.transaction(0, () => {
      const turn = shared.bookOf(0).turn(shared.dbs);
      takeIn(turn, keyOf(1), 1);
    });
    expect(shared.bookOf(0).look(shared.dbs).load(keyOf(1)).state).toEqual([]);
    expect(shared.rows()).toEqual({ windows: 0, changes: 0 });
  });

  it.each([
    ["a colon and digits in front", { partition: "3:a", id: "b" }, { partition: "3", id: ":ab" }],
    ["the border elsewhere", { partition: "ab", id: "c" }, { partition: "a", id: "bc" }],
    ["NUL", { partition: "a\0b", id: "c" }, { partition: "a", id: "b\0c" }],
    ["long names", { partition: "x".repeat(900), id: "c" }, { partition: `${"x".repeat(899)}y`, id: "c" }],
    ["nothing", { partition: "", id: "a" }, { partition: "a", id: "" }],
  ])("are kept apart by their whole key: %s", (_, one, other) => {
    const shared = disk(1, 1);
    shared.transaction(0, () => {
      const turn = shared.bookOf(0).turn(shared.dbs);
      takeIn(turn, one, 1);
      turn.end(1);
    });
    const reader = shared.bookOf(0).look(shared.dbs);
    expect([reader.load(one).state, reader.load(other).state]).toEqual([[1, 1], []]);
  });
});
