import { afterAll, beforeAll, describe } from "vitest";
import type { Store } from "../../src/kit/store.ts";
import { admissionsContract } from "./admissions.ts";
import { marksContract } from "./marks.ts";
import { tablesContract } from "./tables.ts";
import { windowsContract } from "./windows.ts";

/** A store under test, and the time it lives in. */
export interface World {
  readonly store: Store;
  /** The time by which the store counts, ms since the epoch. */
  nowMs(): number;
  /** Lets time pass: by turning a clock, or by waiting. */
  pass(ms: number): Promise<void>;
}

let used = 0;

/** A name no other test uses; the tests of a suite share one store. */
export function fresh(what: string): string {
  used += 1;
  return `${what}-${used}`;
}

/** What every store promises. `open` is called once, and the store closed at the end. */
export function storeContract(name: string, open: () => Promise<World>): void {
  describe(`${name} keeps the contract of stores`, () => {
    let opened: World | undefined;
    const world = (): World => {
      if (!opened) throw new Error("the store did not open");
      return opened;
    };
    beforeAll(async () => {
      opened = await open();
    });
    afterAll(() => opened?.store.close());

    tablesContract(world);
    windowsContract(world);
    admissionsContract(world);
    marksContract(world);
  });
}
