import type { Pack } from "../law/pack.ts";
import type { HeaderView, Recipient } from "../mail/views.ts";
import type { Context } from "./define.ts";

/** Recipients that the same packs protect. */
export interface Group {
  readonly packs: readonly Pack[];
  readonly recipients: readonly Recipient[];
}

type Addressed = Pick<HeaderView, "recipients" | "session">;
type Law = Pick<Context<unknown>, "packsFor">;

/** Several rules ask for the groups of one mail. */
const grouped = new WeakMap<readonly Recipient[], { session: unknown; packsFor: unknown; groups: readonly Group[] }>();

/** The recipients of a view by the packs that protect them; most mails make one group. */
export function groupByPacks({ recipients, session }: Addressed, { packsFor }: Law): readonly Group[] {
  const known = grouped.get(recipients);
  if (known?.session === session && known.packsFor === packsFor) return known.groups;
  const found = new Map<readonly Pack[], { packs: readonly Pack[]; recipients: Recipient[] }>();
  for (const recipient of recipients) {
    const packs = packsFor(recipient, session);
    const group = found.get(packs);
    if (group) group.recipients.push(recipient);
    else found.set(packs, { packs, recipients: [recipient] });
  }
  const groups = [...found.values()];
  grouped.set(recipients, { session, packsFor, groups });
  return groups;
}

/** Every pack that protects one of the recipients. */
export const packsOf = ({ recipients, session }: Addressed, { packsFor }: Law): readonly Pack[] =>
  recipients.length === 1 && recipients[0]
    ? packsFor(recipients[0], session)
    : [...new Set(recipients.flatMap((recipient) => packsFor(recipient, session)))];
