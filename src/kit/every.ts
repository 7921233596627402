/** Work that is done now and then again every so often, one after the other; it keeps no process alive. */
export function every(intervalMs: number, work: () => Promise<void>): { stop(): void } {
  let running = false;
  const once = async (): Promise<void> => {
    if (running) return;
    running = true;
    try {
      await work();
    } finally {
      running = false;
    }
  };
  void once();
  const timer = setInterval(() => void once(), intervalMs);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}
