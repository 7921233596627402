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

/** The recipients of a view by the packs that protect them; most mails make one group. */
export function groupByPacks({ recipients, session }: Addressed, { packsFor }: Law): Group[] {
  const groups = new Map<string, { packs: readonly Pack[]; recipients: Recipient[] }>();
  for (const recipient of recipients) {
    const packs = packsFor(recipient, session);
    const name = packs.map((pack) => pack.id).join(" ");
    const group = groups.get(name);
    if (group) group.recipients.push(recipient);
    else groups.set(name, { packs, recipients: [recipient] });
  }
  return [...groups.values()];
}

/** Every pack that protects one of the recipients. */
export const packsOf = ({ recipients, session }: Addressed, { packsFor }: Law): readonly Pack[] =>
  recipients.length === 1 && recipients[0]
    ? packsFor(recipients[0], session)
    : [...new Set(recipients.flatMap((recipient) => packsFor(recipient, session)))];
