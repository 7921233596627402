/** What goes beyond an agreement, in words: one finding for all recipients who would hear the same. */
import type { Recipient, Session } from "../../mail/views.ts";
import type { CapGrant } from "../../registers/consent-quotas.ts";
import { consequences, type Demand, type Missed } from "../consequence.ts";
import type { Finding } from "../define.ts";

/** One recipient's part of what is too much. */
export type Excess = { readonly recipient: Recipient; readonly demands: readonly Demand[] } & (
  | { readonly kind: "cap" | "number"; readonly grant: CapGrant }
  | { readonly kind: "hours"; readonly hours: string }
  | { readonly kind: "topic"; readonly declared: boolean }
);

export function findingsOf(session: Session, advertiser: string, excesses: readonly Excess[]): Finding[] {
  const groups = Map.groupBy(excesses, (excess) => {
    const { detail } = wordsOf(excess);
    return `${excess.kind} ${detail} ${excess.demands.map(({ pack }) => pack.id).join(" ")}`;
  });
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (!first) return [];
    const { evidence, ...words } = wordsOf(first);
    const recipients = group.map(({ recipient }) => recipient);
    return consequences(session, first.demands, {
      ...words,
      recipients,
      evidence: { advertiser, recipients: recipients.length, ...evidence },
    });
  });
}

type Words = Pick<Missed, "reply" | "reason" | "temporary"> & {
  readonly detail: string;
  readonly evidence: Missed["evidence"];
};

const HOUR_MS = 3_600_000;

function wordsOf(excess: Excess): Words {
  if (excess.kind === "hours") {
    const { hours } = excess;
    return {
      reply: "consent-hours",
      reason: "outside the hours agreed to",
      temporary: true,
      detail: hours,
      evidence: { hours },
    };
  }
  if (excess.kind === "topic") {
    const reason = excess.declared ? "another kind of product than agreed to" : "no kind of product declared";
    const detail = "declared in X-Ad-Topic";
    return { reply: "consent-topic", reason, detail, evidence: { declared: excess.declared } };
  }
  const { max, windowMs, taken } = excess.grant;
  const detail = `${max} in ${windowMs / HOUR_MS} hours`;
  const evidence = { max, hours: windowMs / HOUR_MS, taken };
  return excess.kind === "cap"
    ? { reply: "cap-reached", reason: "more than the law allows", detail, evidence }
    : { reply: "consent-number", reason: "more than agreed to", detail, evidence };
}
