/** Answers that are on disk before they are spoken. */
import type { Happening } from "../ledger/recorder.ts";
import type { Reply } from "../mail/replies.ts";
import { joinVerdicts } from "../pipeline/verdict.ts";
import type { Course, IntakeParts, MailFacts } from "./course.ts";
import { judgementEntry } from "./entries.ts";
import { troubleReply, withoutCustody } from "./spoken.ts";

/** The reply, once its entries are on disk; when they cannot be written nothing is final, and the client hears so. */
export async function recorded(
  { recorder, log }: Pick<IntakeParts, "recorder" | "log">,
  entries: readonly Happening[],
  reply: Reply,
): Promise<Reply> {
  try {
    await recorder.record(entries);
    return reply;
  } catch (error) {
    return troubleReply(error, log);
  }
}

/** Refuses the mail for everybody; the next hop keeps nothing. */
export function refuseAll(
  course: Course,
  reply: Reply,
  facts: MailFacts & { sizeBytes?: number; messageId?: string } = {},
): Promise<Reply> {
  const { parts, view, recipients, handover } = course;
  handover.abort();
  const rules = joinVerdicts(course.verdicts);
  const entries = recipients.map((recipient) => {
    const decision = rules.for(recipient);
    const verdict = decision.kind === "accept" ? (reply.code < 500 ? "defer" : "reject") : withoutCustody(decision);
    return judgementEntry({ ...view, ...facts, recipient }, { verdict, rules, reply }, parts.isLocal);
  });
  return recorded(parts, entries, reply);
}
