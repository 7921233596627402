import type { Pack } from "../../law/pack.ts";
import type { Standing } from "../../registers/consents.ts";
import type { Demand } from "../consequence.ts";

/** How it stands between an advertiser and a recipient. */
export type ConsentState = "missing" | "granted" | "withdrawn";

export const stateOf = (consent: Standing | undefined): ConsentState =>
  !consent ? "missing" : consent.withdrawnAtMs === undefined ? "granted" : "withdrawn";

/** A refusal binds under every model, by the article that says so; a missing yes only where the law is opt-in. */
export const consentDemands = (packs: readonly Pack[], state: "missing" | "withdrawn"): Demand[] =>
  packs.flatMap((pack) => {
    const { consent, refusal } = pack;
    const requirement =
      state === "withdrawn" ? (refusal ?? consent) : consent?.model === "opt-in" ? consent : undefined;
    return requirement ? [{ pack, requirement }] : [];
  });
