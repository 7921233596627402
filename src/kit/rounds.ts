/** Work that is done again and again in the background, never twice at one time. */
export interface Rounds {
  /** Begins no further round; resolves when the one that is going on is over. */
  stop(): Promise<void>;
}

export interface RoundsOptions {
  /** From the end of one round to the beginning of the next. */
  readonly everyMs: number;
  /** Until the first. */
  readonly firstMs: number;
  /** A round that failed is told here; the next one comes all the same. */
  onError(error: unknown): void;
}

export function startRounds(work: () => Promise<unknown>, { everyMs, firstMs, onError }: RoundsOptions): Rounds {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  let stopped = false;
  const wait = (ms: number): void => {
    timer = setTimeout(() => {
      running = round();
    }, ms);
  };
  const round = async (): Promise<void> => {
    try {
      await work();
    } catch (error) {
      onError(error);
    }
    if (!stopped) wait(everyMs);
  };
  wait(firstMs);
  return {
    stop() {
      stopped = true;
      clearTimeout(timer);
      return running;
    },
  };
}
