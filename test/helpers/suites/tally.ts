/** Counts what a suite's cases did, and holds deviations to their list: one that no longer deviates is an error too. */
export interface Tally {
  /** @param deviation why the case may fail; absent: it must pass */
  check(name: string, deviation: string | undefined, run: () => void): void;
  print(): void;
}

export function createTally(suite: string): Tally {
  let passed = 0;
  const failed: string[] = [];
  const deviating = new Map<string, string[]>();
  return {
    check(name, deviation, run) {
      try {
        run();
      } catch (error) {
        if (deviation === undefined) {
          failed.push(name);
          throw error;
        }
        deviating.set(deviation, [...(deviating.get(deviation) ?? []), name]);
        return;
      }
      passed += 1;
    },
    print() {
      const away = [...deviating.values()].reduce((sum, names) => sum + names.length, 0);
      const lines = [`${suite}: ${passed} passed, ${away} deviate, ${failed.length} failed`];
      for (const [reason, names] of deviating)
        lines.push(`  deviates (${names.length}): ${reason}: ${names.join(", ")}`);
      for (const name of failed) lines.push(`  failed: ${name}`);
      console.log(lines.join("\n"));
    },
  };
}
