import type { Answer } from "./handler.ts";

/** Waits for a handler, but not for ever. */
export interface Patience {
  readonly limitMs: number;
  /** Called every so often while the wait lasts; 0: never. */
  readonly tickMs: number;
  readonly tick: () => void;
}

/** The handler has not answered in time, and is still at it. */
export class LateAnswer extends Error {
  constructor(limitMs: number) {
    super(`no answer in ${limitMs} ms`);
    this.name = "LateAnswer";
  }
}

/** @throws LateAnswer; whatever the handler then says, or throws, is not heard */
export function answerWithin(answer: Promise<Answer>, patience: Patience): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(limit);
      clearInterval(ticking);
    };
    const limit = setTimeout(() => {
      stop();
      reject(new LateAnswer(patience.limitMs));
    }, patience.limitMs);
    const ticking = patience.tickMs > 0 ? setInterval(patience.tick, patience.tickMs) : undefined;
    answer.then(
      (value) => {
        stop();
        resolve(value);
      },
      (error: unknown) => {
        stop();
        reject(error);
      },
    );
  });
}
