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

/** Several rules ask for the groups of one mail. Only the mail asked for last is remembered: a weak map of all costs more than it spares. */
let latest: (Addressed & Law & { readonly groups: readonly Group[] }) | undefined;

/** The recipients of a view by the packs that protect them; most mails make one group. */
export function groupByPacks({ recipients, session }: Addressed, { packsFor }: Law): readonly Group[] {
  const [only] = recipients;
  if (recipients.length === 1 && only) return [{ packs: packsFor(only, session), recipients }];
  if (latest?.recipients === recipients && latest.session === session && latest.packsFor === packsFor) {
    return latest.groups;
  }
  const found = new Map<readonly Pack[], { packs: readonly Pack[]; recipients: Recipient[] }>();
  for (const recipient of recipients) {
    const packs = packsFor(recipient, session);
    const group = found.get(packs);
    if (group) group.recipients.push(recipient);
    else found.set(packs, { packs, recipients: [recipient] });
  }
  const groups = [...found.values()];
  latest = { recipients, session, packsFor, groups };
  return groups;
}

/** Every pack that protects one of the recipients. */
export const packsOf = ({ recipients, session }: Addressed, { packsFor }: Law): readonly Pack[] =>
  recipients.length === 1 && recipients[0]
    ? packsFor(recipients[0], session)
    : [...new Set(recipients.flatMap((recipient) => packsFor(recipient, session)))];
