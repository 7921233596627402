import { afterAll, describe, expect, it } from "vitest";
import { tryOne } from "../../scripts/lib/fuzz/engine.ts";
import { ownSeeds } from "../../scripts/lib/fuzz/seeds.ts";
import type { Opened } from "../../scripts/lib/fuzz/target.ts";
import { TARGETS } from "../../scripts/lib/fuzz/targets/index.ts";

/** Every seed, and with it every input that once was a finding, keeps what its target promises. scripts/fuzz goes on from there. */
describe.each(TARGETS)("seeds of $name", (target) => {
  let opened: Promise<Opened> | undefined;
  afterAll(async () => (await opened)?.close?.());

  it.each(ownSeeds(target))("$name", async ({ bytes }) => {
    opened ??= Promise.resolve(target.open());
    const { finding } = await tryOne(await opened, bytes, Number.POSITIVE_INFINITY);
    expect(finding?.says).toBeUndefined();
  });
});
