/** Judged recipient by recipient, answered as one: who gets the mail, and what the client hears when somebody may not. */
import { type Reply, writeReply } from "../mail/replies.ts";
import type { Recipient } from "../mail/views.ts";
import { type Verdict, weightiest } from "../pipeline/verdict.ts";
import type { Course } from "./course.ts";
import { type Refusal, spokenReply } from "./spoken.ts";

/** Most refused recipients named to the client; the ledger has them all. */
const NAMED_MAX = 10;

export interface Sorted {
  /** Set: nobody gets the mail, and why. */
  readonly refusal?: Reply;
  /** Who gets it, or has it kept for him. */
  readonly taken: readonly Recipient[];
  /** Who is left out where the next hop can leave out. */
  readonly dropped: readonly Recipient[];
  /** Why it is kept to be looked at. */
  readonly held?: Refusal;
}

/** Who gets the mail, as far as the next hop can tell recipients apart and keep what is held. */
export function sortOut({ handover, recipients, ...course }: Course, rules: Verdict): Sorted {
  const decisions = recipients.map((recipient) => ({ recipient, decision: rules.for(recipient) }));
  if (decisions.every(({ decision }) => decision.kind === "accept")) return { taken: recipients, dropped: [] };
  const ofKind = (kind: string) => decisions.filter(({ decision }) => decision.kind === kind);
  const refused = ofKind("reject").map(({ recipient }) => recipient);
  const held = ofKind("hold")[0]?.decision as Refusal | undefined;
  const taken = recipients.filter((recipient) => !refused.includes(recipient));
  const everybodyOrNobody = refused.length === 0 || handover.drop !== undefined;
  const keeps = !held || handover.hold !== undefined;
  if (taken.length > 0 && everybodyOrNobody && keeps && ofKind("defer").length === 0) {
    return { taken, dropped: refused, ...(held && { held }) };
  }
  const against = decisions.filter(({ decision }) => decision.kind !== "accept").map(({ recipient }) => recipient);
  return { taken, dropped: [], refusal: refusalReply({ ...course, recipients }, rules, against) };
}

/**
 * SMTP has one answer for the whole mail. When only some recipients may not have it, it is refused for all with the names of
 * those, so that the sender can send it to the others: nothing is dropped, nobody gets a bounce he did not cause.
 */
function refusalReply(
  { parts, view, recipients }: Pick<Course, "parts" | "view" | "recipients">,
  rules: Verdict,
  refused: readonly Recipient[],
): Reply {
  const decision = weightiest(refused.map((recipient) => rules.for(recipient))) as Refusal;
  const reply = spokenReply(decision, view.mailId, parts.explainAt);
  if (refused.length === recipients.length || decision.kind !== "reject") return reply;
  const names = refused.slice(0, NAMED_MAX).map(({ address }) => address.text);
  const more = refused.length > NAMED_MAX ? ` and ${refused.length - NAMED_MAX} more` : "";
  const partial = writeReply("partial-refusal", { detail: `without ${names.join(", ")}${more}` });
  return { ...reply, lines: [...partial.lines, ...reply.lines] };
}
