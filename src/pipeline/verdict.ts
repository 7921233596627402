import type { RuleMode } from "../config/schema.ts";
import type { HeaderEdit } from "../mail/edits.ts";
import type { Recipient } from "../mail/views.ts";
import type { Finding, Rule } from "../rules/define.ts";

/** A finding with the rule that said it and whether the operator lets it act. */
export interface Spoken {
  readonly rule: Rule;
  readonly rank: number;
  readonly finding: Finding;
  /** enforce: it counts; watch: it is only written down. */
  readonly mode: Exclude<RuleMode, "off">;
}

type Kind = Finding["kind"];
const SEVERITY: Record<Kind, number> = { reject: 3, defer: 2, hold: 1, note: 0, pass: 0, skip: 0 };

/** What is to happen to one recipient, and who says so. */
export type Decision =
  | { readonly kind: "accept" }
  | { readonly kind: "hold" | "defer" | "reject"; readonly by: Spoken };

export const ACCEPT: Decision = Object.freeze({ kind: "accept" });

/** What the pipeline decides of a stage or a mail. */
export interface Verdict {
  /** Everything the rules said, passes and skips included. */
  readonly spoken: readonly Spoken[];
  /** The decision for one recipient; for stages without recipients, call it without one. */
  for(recipient?: Recipient): Decision;
}

/**
 * Merges findings: reject over defer over hold over pass; ties by the rules' fixed rank, never by which promise settled
 * first. Watched findings are kept and do not count.
 */
export function createVerdict(spoken: readonly Spoken[]): Verdict {
  if (!spoken.some(acts)) return { spoken, for: accepted };
  const acting = spoken.filter(acts);
  acting.sort((a, b) => SEVERITY[b.finding.kind] - SEVERITY[a.finding.kind] || a.rank - b.rank);
  return {
    spoken,
    for(recipient) {
      const by = acting.find(({ finding }) => concerns(finding, recipient));
      return by ? { kind: by.finding.kind as "hold" | "defer" | "reject", by } : ACCEPT;
    },
  };
}

const acts = ({ mode, finding }: Spoken): boolean => SEVERITY[finding.kind] > 0 && mode === "enforce";
const accepted = (): Decision => ACCEPT;

/** A finding that names nobody concerns everybody. */
const concerns = ({ recipients }: Finding, recipient: Recipient | undefined): boolean =>
  recipients === undefined || recipient === undefined || recipients.includes(recipient);

/** One verdict over several stages of the same mail. */
export function joinVerdicts(verdicts: readonly Verdict[]): Verdict {
  const spoken: Spoken[] = [];
  for (const verdict of verdicts) spoken.push(...verdict.spoken);
  return createVerdict(spoken);
}

const saysNothing = ({ finding: { kind } }: Spoken): boolean => kind === "pass" || kind === "skip";

/** Findings of the recipient stage concern that recipient alone, whatever they say. */
export function scopedTo(verdict: Verdict, recipient: Recipient): Verdict {
  const { spoken } = verdict;
  if (spoken.every(saysNothing)) return verdict;
  return createVerdict(
    spoken.map((each) =>
      saysNothing(each) ? each : { ...each, finding: { ...each.finding, recipients: [recipient] } },
    ),
  );
}

/** What acting rules want changed in the mail of these recipients, in the rules' fixed order. */
export function editsFor({ spoken }: Verdict, recipients: readonly Recipient[]): HeaderEdit[] {
  if (!spoken.some(({ finding }) => finding.edits)) return [];
  const asked = spoken.filter(
    ({ mode, finding }) =>
      mode === "enforce" && finding.edits && recipients.some((recipient) => concerns(finding, recipient)),
  );
  return asked.sort((a, b) => a.rank - b.rank).flatMap(({ finding }) => finding.edits ?? []);
}

/** The hardest of several decisions; among equals the one whose rule stands first. */
export function weightiest(decisions: readonly Decision[]): Decision {
  let chosen = ACCEPT;
  for (const decision of decisions) if (weight(decision) > weight(chosen)) chosen = decision;
  return chosen;
}

const weight = (decision: Decision): number =>
  decision.kind === "accept" ? 0 : SEVERITY[decision.kind] - decision.by.rank / 1_000_000;
