import type { Clock } from "../../kit/clock.ts";
import type { Key, Marks } from "../../kit/store.ts";
import { countDistinct, type DistinctState, hashOf, NEVER } from "../distinct.ts";
import { checkSpan } from "../window-state.ts";
import type { Environment } from "./environment.ts";
import { keyOf } from "./keys.ts";
import type { Dbs, Rows } from "./open.ts";
import { createSweep, isOver } from "./sweep.ts";
import { openTimedSet } from "./timed-set.ts";
import type { Signals } from "./windows.ts";

/** A row of `sets` is `[expires, threshold, lostAt, members in newest, members in sample]`. */
type SetRow = readonly [number, number, number, number, number];
const NEW_SET: SetRow = [0, 1, NEVER, 0, 0];

const NEWEST = Buffer.of(0, 1, 0);
const SAMPLE = Buffer.of(0, 2, 0);

function loadSet(dbs: Dbs<Signals>, key: Buffer): DistinctState {
  const row = dbs.sets.get(key);
  const [, threshold, lostAtMs, inNewest, inSample] = row === undefined ? NEW_SET : (JSON.parse(row) as SetRow);
  return {
    threshold,
    lostAtMs,
    newest: openTimedSet(dbs, Buffer.concat([key, NEWEST]), inNewest),
    sample: openTimedSet(dbs, Buffer.concat([key, SAMPLE]), inSample),
  };
}

function saveSet(sets: Rows, key: Buffer, { state, expiresAtMs }: { state: DistinctState; expiresAtMs: number }): void {
  const { threshold, lostAtMs, newest, sample } = state;
  const row: SetRow = [expiresAtMs, threshold, lostAtMs, newest.size(), sample.size()];
  void sets.put(key, JSON.stringify(row));
}

/** Marks in LMDB: each step is one transaction, atomic over all processes of the machine. */
export function createLmdbMarks(environment: Environment<Signals>, clock: Clock): Marks {
  const at = ({ partition, id }: Key): Buffer => keyOf(partition, id);
  const sweepFirsts = createSweep<Signals>("firsts", ({ firsts }, key, value) => {
    const over = isOver(value, clock.now());
    if (over) void firsts.remove(key);
    return over;
  });
  const sweepSets = createSweep<Signals>("sets", (dbs, key, value) => {
    if (!isOver(value, clock.now())) return false;
    const { newest, sample } = loadSet(dbs, key);
    newest.clear();
    sample.clear();
    void dbs.sets.remove(key);
    return true;
  });

  return {
    async first(key, withinMs) {
      checkSpan(withinMs);
      const known = await environment.read(({ firsts }) => firsts.get(at(key)));
      if (known !== undefined && !isOver(known, clock.now())) return false;
      return environment.write((dbs) => {
        const { firsts } = dbs;
        const row = firsts.get(at(key));
        const nowMs = clock.now();
        if (row !== undefined && !isOver(row, nowMs)) return false;
        void firsts.put(at(key), `[${nowMs + withinMs}]`);
        sweepFirsts(dbs);
        return true;
      });
    },
    async distinct(key, member, withinMs) {
      checkSpan(withinMs);
      const hash = hashOf(member);
      return environment.write((dbs) => {
        const nowMs = clock.now();
        const state = loadSet(dbs, at(key));
        const count = countDistinct(state, hash, { nowMs, withinMs });
        saveSet(dbs.sets, at(key), { state, expiresAtMs: nowMs + withinMs });
        sweepSets(dbs);
        return count;
      });
    },
  };
}
