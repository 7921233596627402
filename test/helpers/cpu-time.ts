/**
 * CPU milliseconds of the best of three runs: how long something takes on a machine that others use too. For telling linear
 * from quadratic, not for comparing speeds.
 */
export function cpuTimeMs(run: () => void): number {
  let best = Number.POSITIVE_INFINITY;
  for (let tries = 0; tries < 3; tries += 1) {
    const before = process.cpuUsage();
    run();
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, (user + system) / 1000);
  }
  return best;
}
