/**
 * What a sender says of its mail: by who it is, by a header, by a label, by what bulk mail carries. The one place that turns
 * all of it into named signs; the rules ask whether the mail declares itself advertising, the ledger gets the words. None
 * of it is a feature of the classifier: headers are free to add, and some are on every mail of a list.
 */
import { matchLabel } from "../law/label.ts";
import type { Pack } from "../law/pack.ts";
import { isAdSender } from "../mail/client.ts";
import type { Headers } from "../mail/headers.ts";
import { addressesIn } from "../mail/mailboxes.ts";
import { decodedSubject, readSubject } from "../mail/subject.ts";
import type { HeaderView } from "../mail/views.ts";

/** `X-Ad: yes`: how a client tells this relay that a mail is an advertisement. Taken out before the mail goes on. */
const DECLARATION_HEADER = "x-ad";
/** `X-Ad-Topic: shoes; hats`: the kinds of product it is about. Taken out too. */
const TOPIC_HEADER = "x-ad-topic";
/** What clients tell this relay and nobody behind it. */
export const DECLARATIONS: readonly string[] = [DECLARATION_HEADER, TOPIC_HEADER];

/** What a sign is called in the ledger and to operators. */
const IN_WORDS = {
  "ad-client": "sent by an advertising client",
  "x-ad": "declared by X-Ad",
  label: "a label in the Subject",
  campaign: "a campaign header",
  unsubscribe: "an unsubscribe header",
  "one-click": "one-click unsubscribing",
  "feedback-id": "a feedback loop header",
  bulk: "declared bulk",
  list: "list headers",
  automatic: "declared automatic",
  reply: "an automatic reply",
  report: "a delivery report",
} as const;

export type Sign = keyof typeof IN_WORDS;
const ORDER = Object.keys(IN_WORDS) as Sign[];

export const signInWords = (sign: Sign): string => IN_WORDS[sign];

/** Headers in which sending services name a campaign, a newsletter or its list of recipients. */
const CAMPAIGN = [
  "x-campaign", "x-campaignid", "x-campaign-id", "x-mc-user", "x-mailchimp-campaign-id", "x-sg-eid", "x-sfmc-stack", "x-job", "x-mailgun-tag",
  "x-mailgun-campaign-id", "x-ses-outgoing", "x-rpcampaign", "x-newsletter", "x-mailing-id", "x-mailingid", "x-hs-cid", "x-sib-id", "x-emarsys-identify",
]; // biome-ignore format: a list to be read as one

/** What the value of a header says; undefined: nothing. */
type Reader = (value: string) => Sign | undefined;
const when =
  (pattern: RegExp, sign: Sign): Reader =>
  (value) =>
    pattern.test(value) ? sign : undefined;

const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  [DECLARATION_HEADER, when(/^(?:yes|true|1)$/i, "x-ad")],
  ...CAMPAIGN.map((name) => [name, () => "campaign"] as const),
  // RFC 2369 3.2, RFC 8058 3.1
  ["list-unsubscribe", () => "unsubscribe"],
  ["list-unsubscribe-post", when(/one-click/i, "one-click")],
  ["feedback-id", () => "feedback-id"],
  // RFC 2076 3.9: what mail programs still act on
  ["precedence", when(/^(?:bulk|junk)$/i, "bulk")],
  // RFC 2919, RFC 2369 3.4
  ["list-id", () => "list"],
  ["list-post", () => "list"],
  // RFC 3834 5
  ["auto-submitted", (value) => (/^auto-replied\b/i.test(value) ? "reply" : automatic(value))],
  ["x-autoreply", () => "reply"],
  ["content-type", when(/^multipart\/report\b/i, "report")],
]);

const automatic = when(/^auto-(?!replied)/i, "automatic");

/** Two rules and two stages ask about the same mail. */
const read = new WeakMap<Headers, ReadonlySet<Sign>>();

function headerSigns(headers: Headers): ReadonlySet<Sign> {
  const known = read.get(headers);
  if (known) return known;
  const found = new Set<Sign>();
  for (const { name, value } of headers.fields) {
    const sign = READERS.get(name)?.(value);
    if (sign) found.add(sign);
  }
  read.set(headers, found);
  return found;
}

type Said = Pick<HeaderView, "session" | "headers">;

/** Every sign that is there, what declares advertising first. @param packs those whose labels count */
export function signsOf({ session, headers }: Said, packs: readonly Pack[]): Sign[] {
  const inHeaders = headerSigns(headers);
  const client = isAdSender(session.client);
  const label = packs.some((pack) => carriesLabel(pack, headers));
  return ORDER.filter((sign) => inHeaders.has(sign) || (sign === "ad-client" && client) || (sign === "label" && label));
}

/**
 * Does the sender itself say that the mail is advertising? Words for the ledger, or undefined. A label, a declaration or the
 * kind of client says so; bulk with a way to unsubscribe does; a list, a campaign header or a machine alone do not.
 */
export function declaredAdvertising({ session, headers }: Said, packs: readonly Pack[]): string | undefined {
  if (isAdSender(session.client)) return `client is ${session.client?.kind}`;
  const signs = headerSigns(headers);
  if (signs.has("x-ad")) return "X-Ad header";
  if (signs.has("unsubscribe") && isBulk(headers)) return "List-Unsubscribe with Precedence: bulk";
  return packs.some((pack) => carriesLabel(pack, headers)) ? "label in the Subject" : undefined;
}

const isBulk = (headers: Headers): boolean => /^bulk$/i.test(headers.first("precedence") ?? "");

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
export const advertiserOf = ({ session, headers }: Said): string | undefined =>
  session.client?.id ?? addressesIn(headers, "from")[0]?.domain;
