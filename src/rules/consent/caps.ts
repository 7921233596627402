import type { Cap, Pack } from "../../law/pack.ts";
import type { Demand } from "../consequence.ts";

/** A cap of a pack that protects a recipient, and the name its count goes by. */
export interface NamedCap {
  readonly name: string;
  readonly pack: Pack;
  readonly cap: Cap;
}

/** Caps of a recipient's laws. @param likeness what two similar mails share; absent: not known yet, and such caps are left out */
export const namedCaps = (pack: Pack, likeness: (() => string) | undefined): NamedCap[] =>
  pack.caps.flatMap((cap, index) => {
    const name = `${pack.id}.${index}`;
    if (cap.of === "mail") return [{ name, pack, cap }];
    return likeness === undefined ? [] : [{ name: `${name}.${likeness()}`, pack, cap }];
  });

/** Packs come in the same few lists, mail after mail. */
const known = new WeakMap<readonly Pack[], readonly Demand[]>();

/** What was agreed binds where a law asks for an agreement; those that speak of its scope come first. */
export function scopeDemands(packs: readonly Pack[]): readonly Demand[] {
  let demands = known.get(packs);
  if (!demands) {
    demands = [
      ...packs.flatMap((pack) => (pack.scope ? [{ pack, requirement: pack.scope }] : [])),
      ...packs.flatMap((pack) =>
        !pack.scope && pack.consent?.model === "opt-in" ? [{ pack, requirement: pack.consent }] : [],
      ),
    ];
    known.set(packs, demands);
  }
  return demands;
}

/** Can numbers be kept in the queue? Not where a law counts similar mails: those are known only while the mail is read. */
export const countsInQueue = (packs: readonly Pack[]): boolean =>
  packs.every(({ caps }) => caps.every((cap) => cap.of === "mail"));

export const queuedCaps = (packs: readonly Pack[]): NamedCap[] => packs.flatMap((pack) => namedCaps(pack, undefined));
