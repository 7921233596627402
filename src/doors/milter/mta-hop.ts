import type { Handover, NextHop } from "../../delivery/next-hop.ts";
import type { Reply } from "../../mail/replies.ts";
import type { Recipient } from "../../mail/views.ts";
import type { EditKind, Edits } from "./edits.ts";

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

const ACCEPTED: Reply = { code: 250, enhanced: "2.0.0", lines: ["left to the MTA"] };
const UNCHANGEABLE: Reply = {
  code: 451,
  enhanced: "4.3.5",
  lines: ["the mail server does not let its filter take a header out", "accepted: the mail without X-Ad"],
};

/**
 * @param granted edits the MTA lets us make: without them nobody can be left out of a mail, nothing can be held, and a mail that
 * would have to lose a header is put off
 */
export function createMtaHop(granted: ReadonlySet<EditKind>): MtaHop {
  let plan: { dropped: Recipient[]; holdReason: string | undefined; omitted: readonly string[] };
  const begin = (): Handover => {
    plan = { dropped: [], holdReason: undefined, omitted: [] };
    return {
      rcpt: async () => ACCEPTED,
      async data({ omitted }, ready) {
        await ready;
        if (omitted.length > 0 && !granted.has("changeHeader")) return { replies: [UNCHANGEABLE] };
        plan.omitted = omitted;
        return { replies: [ACCEPTED] };
      },
      abort: () => undefined,
      ...(granted.has("deleteRecipient") && { drop: (recipient) => void plan.dropped.push(recipient) }),
      ...(granted.has("quarantine") && {
        hold: (reason) => {
          plan.holdReason = reason;
        },
      }),
    };
  };
  return { name: "milter", begin, plan: () => plan, ping: async () => undefined, close: async () => undefined };
}

/**
 * Turns a plan into the MTA's edits.
 * @param spellings how the client wrote this recipient, each time it did: MTAs know him by these
 * @throws RangeError when an edit cannot be made; then the mail is not accepted
 */
export function applyPlan(
  { dropped, holdReason, omitted }: MtaPlan,
  edits: Edits,
  spellings: (recipient: Recipient) => readonly string[],
): void {
  for (const spelling of dropped.flatMap(spellings)) edits.deleteRecipient(spelling);
  for (const name of new Set(omitted)) {
    const count = omitted.filter((other) => other === name).length;
    // From the last up: MTAs do not agree whether a deletion renumbers those below it.
    for (let index = count; index > 0; index -= 1) edits.deleteHeader(index, name);
  }
  if (holdReason !== undefined) edits.quarantine(holdReason);
}
