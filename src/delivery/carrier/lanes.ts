/**
 * How many mails go to one destination at a time, as far as it shows: a server that takes ten connections from us and turns the
 * eleventh away is not away. The eleventh waits for one of the ten, and fewer come from then on; each mail that gets through
 * makes room for a part of one more (additive increase, as in TCP).
 */
export interface Lanes {
  widthOf(destination: string, most: number): number;
  enter(destination: string): Lane;
}

/** One attempt's place at its destination. */
export interface Lane {
  /**
   * The server turned it away at the door. Waits until another attempt at the destination has ended.
   * @returns false when there is no other, or none ended in time: then it is no matter of numbers
   */
  turnedAway(timeoutMs: number): Promise<boolean>;
  gotThrough(most: number): void;
  leave(): void;
}

interface State {
  /** Attempts under way, without those that wait. */
  active: number;
  waiting: (() => void)[];
  /** Absent: no bound has been seen. */
  width: number | undefined;
}

/** Destinations whose bound is remembered. */
const KEPT_MAX = 10_000;

export function createLanes(): Lanes {
  const states = new Map<string, State>();
  const stateOf = (destination: string): State => {
    const known = states.get(destination);
    if (known) return known;
    const made: State = { active: 0, waiting: [], width: undefined };
    states.set(destination, made);
    return made;
  };
  const tidy = (destination: string, state: State): void => {
    if (state.active > 0 || state.waiting.length > 0) return;
    if (state.width === undefined) states.delete(destination);
    else if (states.size > KEPT_MAX) forgetOne(states);
  };
  return {
    widthOf: (destination, most) => Math.min(most, Math.floor(states.get(destination)?.width ?? most)),
    enter(destination) {
      const state = stateOf(destination);
      state.active += 1;
      return {
        async turnedAway(timeoutMs) {
          state.active -= 1;
          try {
            if (state.active === 0) return false;
            state.width = state.active;
            return await nextTurn(state, timeoutMs);
          } finally {
            state.active += 1;
          }
        },
        gotThrough(most) {
          if (state.width === undefined) return;
          const wider = state.width + 1 / state.width;
          state.width = wider < most ? wider : undefined;
        },
        leave() {
          state.active -= 1;
          state.waiting.shift()?.();
          tidy(destination, state);
        },
      };
    },
  };
}

function nextTurn(state: State, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const go = (): void => {
      clearTimeout(timer);
      resolve(true);
    };
    const timer = setTimeout(() => {
      state.waiting = state.waiting.filter((each) => each !== go);
      resolve(false);
    }, timeoutMs);
    state.waiting.push(go);
  });
}

/** The one that was made first and is not in use. */
function forgetOne(states: Map<string, State>): void {
  for (const [destination, { active, waiting }] of states) {
    if (active > 0 || waiting.length > 0) continue;
    states.delete(destination);
    return;
  }
}
