import type { Recipient } from "../mail/views.ts";
import type { Claim } from "../rules/define.ts";
import type { Course } from "./course.ts";

/** What rules took for recipients who do not get the mail goes back. A store that is away keeps it until it falls out by itself. */
export async function giveBack({ parts, verdicts, view }: Course, served: readonly Recipient[]): Promise<void> {
  if (!verdicts.some(({ spoken }) => spoken.some(({ finding }) => finding.claims))) return;
  const unused = verdicts.flatMap(({ spoken }) => spoken.flatMap(({ finding }) => unusedOf(finding.claims, served)));
  if (unused.length === 0) return;
  const results = await Promise.allSettled(unused.map(({ key }) => parts.quotas.giveBack(key)));
  const failed = results.find((result) => result.status === "rejected");
  if (failed)
    parts.log.warn({ mailId: view.mailId, err: failed.reason }, "quotas of a mail that was not accepted stay taken");
}

const unusedOf = (claims: readonly Claim[] | undefined, served: readonly Recipient[]): readonly Claim[] =>
  claims?.filter(({ recipient }) => !served.includes(recipient)) ?? [];
