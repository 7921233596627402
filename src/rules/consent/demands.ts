import type { Pack } from "../../law/pack.ts";
import type { Standing } from "../../registers/consents.ts";
import type { Demand } from "../consequence.ts";

/** Why a recipient may not be written to. */
export type Lack = "missing" | "withdrawn";

/** How it stands between an advertiser and a recipient. */
export type ConsentState = Lack | "granted";

export const isGranted = (record: Standing | undefined): boolean =>
  record !== undefined && record.withdrawnAtMs === undefined;

export const stateOf = (record: Standing | undefined): ConsentState =>
  !record ? "missing" : isGranted(record) ? "granted" : "withdrawn";

/** What these packs ask for, and those that a refusal binds. */
export interface Demands extends Readonly<Record<Lack, readonly Demand[]>> {
  readonly packs: readonly Pack[];
  readonly ids: readonly string[];
}

/** Packs come in the same few lists, mail after mail. */
const known = new WeakMap<readonly Pack[], Demands>();

/** A refusal binds under every model, by the article that says so; a missing yes only where the law is opt-in. */
export function demandsOf(packs: readonly Pack[]): Demands {
  let demands = known.get(packs);
  if (!demands) {
    const of = (requirementOf: (pack: Pack) => Demand["requirement"] | undefined): Demand[] =>
      packs.flatMap((pack) => {
        const requirement = requirementOf(pack);
        return requirement ? [{ pack, requirement }] : [];
      });
    const withdrawn = of(({ consent, refusal }) => refusal ?? consent);
    const bound = withdrawn.map(({ pack }) => pack);
    demands = {
      missing: of(({ consent }) => (consent?.model === "opt-in" ? consent : undefined)),
      withdrawn,
      packs: bound,
      ids: bound.map(({ id }) => id),
    };
    known.set(packs, demands);
  }
  return demands;
}
