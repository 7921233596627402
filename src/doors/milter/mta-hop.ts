import type { Handover, NextHop, Parcel } from "../../delivery/next-hop.ts";
import type { Reply } from "../../mail/replies.ts";
import type { Recipient } from "../../mail/views.ts";
import type { EditKind, Edits } from "./edits.ts";

/** What becomes of the mail in the MTA's hands, known once it was judged. */
export interface MtaPlan {
  readonly dropped: readonly Recipient[];
  readonly holdReason: string | undefined;
  readonly changes: Parcel["changes"];
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
  lines: ["the mail server does not let its filter change headers", "accepted: the mail without X-Ad"],
};

/**
 * @param granted edits the MTA lets us make: without them nobody can be left out of a mail, nothing can be held, and a mail that
 * would have to lose a header is put off
 */
export function createMtaHop(granted: ReadonlySet<EditKind>): MtaHop {
  let plan: { dropped: Recipient[]; holdReason: string | undefined; changes: Parcel["changes"] };
  const begin = (): Handover => {
    plan = { dropped: [], holdReason: undefined, changes: { fields: [], additions: [] } };
    return {
      rcpt: async () => ACCEPTED,
      async data({ changes }, ready) {
        await ready;
        if (!grants(granted, changes)) return { replies: [UNCHANGEABLE] };
        plan.changes = changes;
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

const grants = (granted: ReadonlySet<EditKind>, { fields, additions }: Parcel["changes"]): boolean =>
  (fields.length === 0 || granted.has("changeHeader")) && (additions.length === 0 || granted.has("addHeader"));

/**
 * Turns a plan into the MTA's edits.
 * @param spellings how the client wrote this recipient, each time it did: MTAs know him by these
 * @throws RangeError when an edit cannot be made; then the mail is not accepted
 */
export function applyPlan(
  { dropped, holdReason, changes }: MtaPlan,
  edits: Edits,
  spellings: (recipient: Recipient) => readonly string[],
): void {
  for (const spelling of dropped.flatMap(spellings)) edits.deleteRecipient(spelling);
  // From the last up: MTAs do not agree whether a deletion renumbers those below it.
  for (const { name, nth, value } of changes.fields.toReversed()) {
    if (value === undefined) edits.deleteHeader(nth, name);
    else edits.changeHeader(nth, name, value);
  }
  for (const { name, value } of changes.additions.toReversed()) edits.insertHeader(0, name, value);
  if (holdReason !== undefined) edits.quarantine(holdReason);
}
