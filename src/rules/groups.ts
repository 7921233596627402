import type { Pack } from "../law/pack.ts";
import type { Recipient } from "../mail/views.ts";

/** Recipients that the same packs protect. */
export interface Group {
  readonly packs: readonly Pack[];
  readonly recipients: readonly Recipient[];
}

type PacksFor = (recipient: Recipient) => readonly Pack[];

/** The recipients of a view by the packs that protect them; most mails make one group. */
export function groupByPacks(recipients: readonly Recipient[], packsFor: PacksFor): Group[] {
  const groups = new Map<string, { packs: readonly Pack[]; recipients: Recipient[] }>();
  for (const recipient of recipients) {
    const packs = packsFor(recipient);
    const name = packs.map((pack) => pack.id).join(" ");
    const group = groups.get(name);
    if (group) group.recipients.push(recipient);
    else groups.set(name, { packs, recipients: [recipient] });
  }
  return [...groups.values()];
}

/** Every pack that protects one of the recipients. */
export const packsOf = (recipients: readonly Recipient[], packsFor: PacksFor): readonly Pack[] =>
  recipients.length === 1 && recipients[0]
    ? packsFor(recipients[0])
    : [...new Set(recipients.flatMap((recipient) => packsFor(recipient)))];
