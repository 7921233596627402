import type { Handover, NextHop } from "../../delivery/next-hop.ts";
import type { Recipient } from "../../mail/views.ts";
import type { Edits } from "./edits.ts";

/** What becomes of the mail in the MTA's hands, known once it was judged. */
export interface MtaPlan {
  readonly dropped: readonly Recipient[];
  readonly holdReason: string | undefined;
  /** Names of the header fields to take out, one for each. */
  readonly omitted: readonly string[];
}

/** The MTA around us as next hop: it has the mail already, so handing over is telling it what to change. */
export interface MtaHop extends NextHop {
  /** The plan of the mail just handed over. */
  plan(): MtaPlan;
}

const ACCEPTED = { code: 250, enhanced: "2.0.0", lines: ["left to the MTA"] };

export function createMtaHop(): MtaHop {
  let plan: { dropped: Recipient[]; holdReason: string | undefined; omitted: readonly string[] };
  const begin = (): Handover => {
    plan = { dropped: [], holdReason: undefined, omitted: [] };
    return {
      rcpt: async () => ACCEPTED,
      async data({ omitted }, ready) {
        await ready;
        plan.omitted = omitted;
        return { replies: [ACCEPTED] };
      },
      abort: () => undefined,
      drop: (recipient) => void plan.dropped.push(recipient),
      hold: (reason) => {
        plan.holdReason = reason;
      },
    };
  };
  return { name: "milter", begin, plan: () => plan, ping: async () => undefined, close: async () => undefined };
}

/**
 * Turns a plan into the MTA's edits.
 * @throws RangeError when the MTA did not grant one of them; then the mail is not accepted
 */
export function applyPlan({ dropped, holdReason, omitted }: MtaPlan, edits: Edits): void {
  for (const { address } of dropped) edits.deleteRecipient(`<${address.text}>`);
  // From the lowest up: MTAs do not agree whether a deletion renumbers the others.
  for (const name of new Set(omitted)) {
    for (let index = omitted.filter((other) => other === name).length; index > 0; index -= 1)
      edits.deleteHeader(index, name);
  }
  if (holdReason !== undefined) edits.quarantine(holdReason);
}
