/** How many connections each client address holds, so that one cannot take them all. */
export interface PerAddress {
  /** Counts one in. @returns false when the address already has as many as it may */
  enter(ip: string): boolean;
  leave(ip: string): void;
}

export function createPerAddress(max: () => number): PerAddress {
  const open = new Map<string, number>();
  return {
    enter(ip) {
      const count = open.get(ip) ?? 0;
      if (count >= max()) return false;
      open.set(ip, count + 1);
      return true;
    },
    leave(ip) {
      const count = (open.get(ip) ?? 1) - 1;
      if (count > 0) open.set(ip, count);
      else open.delete(ip);
    },
  };
}
