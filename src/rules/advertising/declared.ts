import { matchLabel } from "../../law/label.ts";
import type { Pack } from "../../law/pack.ts";
import { isAdSender } from "../../mail/client.ts";
import type { Headers } from "../../mail/headers.ts";
import { addressesIn } from "../../mail/mailboxes.ts";
import { decodedSubject, readSubject } from "../../mail/subject.ts";
import type { HeaderView, Recipient, Session } from "../../mail/views.ts";
import type { Context } from "../define.ts";

/** `X-Ad: yes`: how a client tells this relay that a mail is an advertisement. Taken out before the mail goes on. */
export const DECLARATION_HEADER = "x-ad";

/** `X-Ad-Topic: shoes; hats`: the kinds of product it is about. Taken out too. */
export const TOPIC_HEADER = "x-ad-topic";
/** What clients tell this relay and nobody behind it. */
export const DECLARATIONS: readonly string[] = [DECLARATION_HEADER, TOPIC_HEADER];

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

/** The kinds of product a mail declares, in lower case. */
export const declaredTopics = (headers: Headers): string[] =>
  headers
    .all(TOPIC_HEADER)
    .flatMap((value) => readSubject(value).toLowerCase().split(";"))
    .map((topic) => topic.trim())
    .filter((topic) => topic !== "");

/** Whom the recipient would have said yes to: the registered client, else the domain that signs as From. */
export const advertiserOf = ({ session, headers }: HeaderView): string | undefined =>
  session.client?.id ?? addressesIn(headers, "from")[0]?.domain;

export interface Group {
  readonly packs: readonly Pack[];
  readonly recipients: Recipient[];
}

/** Several rules ask for the groups of one mail. */
const grouped = new WeakMap<readonly Recipient[], { session: Session; packsFor: unknown; groups: readonly Group[] }>();

/** The recipients of a view by the packs that protect them; most mails make one group. */
export function groupByPacks(
  { recipients, session }: Pick<HeaderView, "recipients" | "session">,
  { packsFor }: Pick<Context<unknown>, "packsFor">,
): readonly Group[] {
  const known = grouped.get(recipients);
  if (known?.session === session && known.packsFor === packsFor) return known.groups;
  const found = new Map<readonly Pack[], Group>();
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
