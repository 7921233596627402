import { matchLabel } from "../../law/label.ts";
import type { Pack } from "../../law/pack.ts";
import { isAdSender } from "../../mail/client.ts";
import type { Headers } from "../../mail/headers.ts";
import { decodedSubject } from "../../mail/subject.ts";
import type { HeaderView, Recipient } from "../../mail/views.ts";

/** `X-Ad: yes`: how a client tells this relay that a mail is an advertisement. Taken out before the mail goes on. */
export const DECLARATION_HEADER = "x-ad";

/** What the sender itself says a mail is: words for the ledger, or undefined when it says nothing. */
export function declaredAdvertising(view: HeaderView, packs: readonly Pack[]): string | undefined {
  if (isAdSender(view.session.client)) return `client is ${view.session.client?.kind}`;
  if (view.headers.all(DECLARATION_HEADER).some((value) => /^(yes|true|1)$/i.test(value))) return "X-Ad header";
  if (isBulkList(view.headers)) return "List-Unsubscribe with Precedence: bulk";
  return packs.some((pack) => carriesLabel(pack, view.headers)) ? "label in the Subject" : undefined;
}

const isBulkList = (headers: Headers): boolean =>
  headers.first("list-unsubscribe") !== undefined && /^bulk$/i.test(headers.first("precedence") ?? "");

/** Does the Subject begin with a label of this pack? */
export const carriesLabel = (pack: Pack, headers: Headers): boolean =>
  pack.label !== undefined && matchLabel(pack.label, decodedSubject(headers)).found;

/** The recipients of a view by the packs that protect them; most mails make one group. */
export function groupByPacks(
  recipients: readonly Recipient[],
  packsFor: (recipient: Recipient) => readonly Pack[],
): { packs: readonly Pack[]; recipients: Recipient[] }[] {
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
