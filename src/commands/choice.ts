/** Which packs a configuration chooses, without rules, detector and everything else that judging needs. */
import type { LoadedConfig } from "../config/load.ts";
import type { PackChoice } from "../law/choice.ts";

/** @throws Misuse for a pack that cannot be read */
export async function choiceOf({ config: { packs } }: Pick<LoadedConfig, "config">): Promise<PackChoice> {
  const [{ choosePacks }, { knownPacks }] = await Promise.all([import("../law/choice.ts"), import("../law/packs.ts")]);
  return choosePacks(packs, knownPacks(packs.directory), []);
}
