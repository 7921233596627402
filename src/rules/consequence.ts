import type { Consequence, Pack } from "../law/pack.ts";
import { mayRefuse, type Source } from "../law/source.ts";
import type { ReplyId } from "../mail/replies.ts";
import { isOwn, type Recipient, type Session } from "../mail/views.ts";
import { defer, type Evidence, type Finding, hold, note, reject } from "./define.ts";

/** The part of a pack that says what follows when a requirement is missed. */
interface Requirement {
  readonly onMissing: { readonly clients: Consequence; readonly strangers: Consequence };
  readonly source: Source;
}

/** What one pack wants done about a missed requirement; a fact that is not certain only notes. */
export const wanted = ({ onMissing, source }: Requirement, session: Session): Consequence =>
  mayRefuse(source) ? (isOwn(session) ? onMissing.clients : onMissing.strangers) : "note";

export interface Missed {
  readonly reply: ReplyId;
  readonly reason: string;
  readonly detail?: string;
  /** Absent: everybody the mail goes to. */
  readonly recipients?: readonly Recipient[];
  readonly evidence: Evidence;
  /** It will be right later: put off where it would be refused. */
  readonly temporary?: boolean;
}

export interface Demand {
  readonly pack: Pack;
  readonly requirement: Requirement;
}

/** Does any of these want more done than a note? */
export const demandsMore = (session: Session, demands: readonly Demand[]): boolean =>
  demands.some(({ requirement }) => wanted(requirement, session) !== "note");

/**
 * Turns a requirement missed under several packs into findings: one for each consequence that packs demand, in the name of
 * those that demand it, so that a pack which is only watched hides no other; a note when no pack demands more. A label that could not be
 * added is refused.
 */
export function consequences(session: Session, demands: readonly Demand[], missed: Missed): Finding[] {
  const demanding = (...asks: readonly Consequence[]): Demand[] =>
    demands.filter(({ requirement }) => asks.includes(wanted(requirement, session)));
  const refuse = missed.temporary ? defer : reject;
  const [rejecting, holding] = [demanding("reject", "label"), demanding("hold")];
  return [
    ...(rejecting.length > 0 ? [refuse(missed.reply, particulars(rejecting, missed))] : []),
    ...(holding.length > 0 ? [hold(missed.reason, particulars(holding, missed))] : []),
    ...(rejecting.length + holding.length === 0 ? [note(missed.reason, particulars(demands, missed))] : []),
  ];
}

function particulars(behind: readonly Demand[], { recipients, evidence, detail }: Missed) {
  const source = behind[0]?.requirement.source;
  return {
    packs: behind.map(({ pack }) => pack),
    ...(recipients && { recipients }),
    evidence,
    ...(source && { source }),
    ...(detail !== undefined && { detail }),
  };
}
