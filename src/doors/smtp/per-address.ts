/** How many connections each client address holds, so that one cannot take them all. */
export interface PerAddress {
  /** Counts one in. @returns false when the address already has as many as it may */
  enter(ip: string): boolean;
  leave(ip: string): void;
}

/** What the other workers of this machine hold, as they told it a moment ago. */
export interface Elsewhere {
  /** Open connections of an address at the other workers. */
  count(ip: string): number;
  /** Tells them how many there are here now. */
  tell(ip: string, here: number): void;
}

/** One process has everything itself. */
const NOBODY_ELSE: Elsewhere = { count: () => 0, tell: () => undefined };

export function createPerAddress(max: () => number, elsewhere = NOBODY_ELSE): PerAddress {
  const open = new Map<string, number>();
  const set = (ip: string, count: number): void => {
    if (count > 0) open.set(ip, count);
    else open.delete(ip);
    elsewhere.tell(ip, count);
  };
  return {
    enter(ip) {
      const count = open.get(ip) ?? 0;
      if (count + elsewhere.count(ip) >= max()) return false;
      set(ip, count + 1);
      return true;
    },
    leave: (ip) => set(ip, (open.get(ip) ?? 1) - 1),
  };
}
