import { CUSTOMER_REPLIES } from "./customer-replies.ts";
import { form, type ReplyForm } from "./reply-form.ts";

/**
 * The one catalogue of what a client may hear from us. Each line says what was wrong and what would be accepted;
 * scores, thresholds and other people's data stay in the ledger. ASCII only. Codes: RFC 5321 4.2, RFC 3463, RFC 7372.
 */
export type { ReplyForm } from "./reply-form.ts";

export const REPLIES = {
  ...CUSTOMER_REPLIES,
  "relay-denied": form(
    550,
    "5.7.1",
    "relaying denied: you are no client of this relay",
    "mail for its own domains, or log in first",
  ),
  "relay-path-tricks": form(
    550,
    "5.7.1",
    "relaying denied: the address hides another destination",
    "a plain local-part@domain",
  ),
  blocked: form(
    554,
    "5.7.1",
    "mail from you is refused for a time, because of what was sent before",
    "mail when it is over",
  ),
  listed: form(
    554,
    "5.7.1",
    "your address stands on a list of senders of spam",
    "mail when it is taken off; postmaster hears you meanwhile",
  ),
  harvesting: form(421, "4.7.0", "too many recipients that do not exist", "addresses that were given to you, later"),
  "login-held": form(
    451,
    "4.7.1",
    "this login is on hold: it behaves as if somebody else used it",
    "mail when the operator has looked",
  ),
  "client-rate": form(451, "4.7.1", "more mails than the client is registered for", "mails within the limit"),
  "login-required": form(530, "5.7.0", "this port is for clients only", "log in, or send from a registered network"),
  "client-network": form(
    550,
    "5.7.1",
    "this login may not be used from your address",
    "the networks registered for the client",
  ),
  "own-domain": form(
    550,
    "5.7.1",
    "the sender claims a domain of this server without being its client",
    "your own domain as sender, or log in",
  ),
  "sender-not-yours": form(
    550,
    "5.7.1",
    "the sender address does not belong to your login",
    "an address in a domain registered for the client",
  ),
  "helo-forged": form(550, "5.7.1", "HELO claims to be this server", "the name of your own host"),
  "helo-shape": form(
    550,
    "5.5.2",
    "HELO is no host name and no address literal",
    "a host name, or your address in brackets",
  ),
  "sender-shape": form(
    553,
    "5.1.7",
    "the sender address cannot be answered",
    "local-part@domain with a full domain name",
  ),
  "from-missing": form(
    550,
    "5.6.0",
    "there is not exactly one From header",
    "one From header naming who wrote the mail",
  ),
  "header-twice": form(
    550,
    "5.6.0",
    "a header that may stand once stands more than once",
    "each of From, Sender, Date, Subject, To, Cc, Message-ID once",
  ),
  "date-insane": form(
    550,
    "5.6.0",
    "the Date header is missing, unreadable or far from today",
    "one Date header with the time of writing",
  ),
  "dmarc-fail": form(
    550,
    "5.7.26",
    "the domain in From has not authorised this mail, and asks for its refusal (DMARC)",
    "mail that SPF or DKIM proves to be of that domain",
  ),
  "dkim-missing": form(
    550,
    "5.7.20",
    "the domain in From signs all its mail, and this one has no valid signature (DKIM)",
    "mail as that domain signed it",
  ),
  "dkim-partial": form(
    550,
    "5.7.21",
    "the signature of the domain in From leaves a part of the mail unsigned (DKIM l=)",
    "mail signed as a whole",
  ),
  "dkim-author": form(
    550,
    "5.7.22",
    "the domain in From signs all its mail, and only others have signed this one (DKIM)",
    "mail signed by the domain in From",
  ),
  "spf-fail": form(
    550,
    "5.7.23",
    "the sender's domain says that your address may not send for it (SPF)",
    "mail by the servers that domain names",
  ),
  "spf-error": form(
    550,
    "5.7.24",
    "the SPF record of the sender's domain cannot be used",
    "mail from a domain whose SPF record is in order",
  ),
  "reverse-dns": form(
    550,
    "5.7.25",
    "your address has no name in DNS that leads back to it",
    "mail from an address whose PTR name has it as its address",
  ),
  "helo-unknown": form(550, "5.7.1", "the name in HELO does not exist in DNS", "a name that has an address"),
  "sender-domain": form(550, "5.1.8", "the sender's domain receives no mail", "a domain with an MX, A or AAAA record"),
  "sender-null-mx": form(
    550,
    "5.7.27",
    "the sender's domain says that it receives no mail",
    "a domain that can be answered",
  ),
  "received-forged": form(
    550,
    "5.7.1",
    "a Received header claims a passage through this server that never was",
    "the trace headers as they were written",
  ),
  "label-missing": form(
    550,
    "5.7.1",
    "an advertisement must say so at the very front of its Subject",
    "one of these labels",
  ),
  "label-mixed": form(
    550,
    "5.7.1",
    "these recipients' laws ask for different labels, and one Subject begins with one",
    "a mail of its own for each",
  ),
  "code-invalid": form(
    550,
    "5.7.1",
    "the management code in the label may not be used",
    "a code that is registered for you and valid today",
  ),
  "code-required": form(
    550,
    "5.7.1",
    "who advertises for others must hold a published management code",
    "mail of a service whose code is registered and valid today",
  ),
  "consent-missing": form(
    550,
    "5.7.1",
    "this recipient has not agreed to advertising from you",
    "recipients whose consent is recorded",
  ),
  "consent-withdrawn": form(
    550,
    "5.7.1",
    "this recipient has refused advertising from you",
    "no further advertising to this recipient",
  ),
  "refusal-unreadable": form(
    550,
    "5.6.0",
    "nothing in the mail tells whose advertising is meant",
    "an answer with the Subject that the advertisement's refusal link has",
  ),
  "refusal-stands": form(
    550,
    "5.7.1",
    "you have refused since this request was made, and that stands",
    "a consent you give to the advertiser anew",
  ),
  malware: form(550, "5.7.1", "there is malware in the mail", "the same mail without it"),
  "spam-score": form(
    550,
    "5.7.1",
    "the mail looks like spam",
    "mail that does not; write to the postmaster if it was none",
  ),
  "consent-topic": form(
    550,
    "5.7.1",
    "this recipient has not agreed to advertising of this kind",
    "kinds of product that were agreed to",
  ),
  "consent-number": form(
    550,
    "5.7.1",
    "this recipient has not agreed to so many advertisements",
    "no more than were agreed to",
  ),
  "consent-hours": form(
    450,
    "4.7.1",
    "this recipient has not agreed to advertising at this hour",
    "the same mail within the hours agreed to",
  ),
  "cap-reached": form(
    550,
    "5.7.1",
    "this recipient has had as many advertisements from you as the law allows",
    "no more than that",
  ),
  "contents-missing": form(
    550,
    "5.7.1",
    "the advertisement does not contain what the law asks for",
    "the same mail with",
  ),
  "bare-newline": form(550, "5.5.2", "a bare CR or LF in the mail", "lines that end with CR LF"),
  "nul-byte": form(550, "5.6.0", "a NUL byte in the mail", "text, or an attachment in base64"),
  "line-too-long": form(550, "5.5.2", "a line is too long", "lines within the limit"),
  "header-too-large": form(552, "5.3.4", "the header block is too large", "headers within the limit"),
  "too-many-headers": form(552, "5.3.4", "there are too many header fields", "headers within the limit"),
  "mail-too-large": form(552, "5.3.4", "the mail is too large", "mails within the SIZE limit"),
  "mail-loop": form(554, "5.4.6", "the mail has passed too many servers: a loop", "mail with fewer Received headers"),
  "too-many-recipients": form(452, "4.5.3", "too many recipients in one mail", "the others in a further mail"),
  "too-many-connections": form(421, "4.7.0", "too many connections from your address", "fewer at a time"),
  "no-local-mailbox": form(550, "5.1.1", "no such mailbox here", "an existing address"),
  "partial-refusal": form(550, "5.7.1", "some recipients may not have this mail", "the same mail to the others only"),
  held: form(451, "4.7.1", "the mail has to be looked at first and this server keeps none", "try again later"),
  "rule-trouble": form(451, "4.3.0", "a check could not be made", "try again later"),
  "store-away": form(451, "4.3.0", "the registers do not answer", "try again later"),
  "dns-away": form(451, "4.4.3", "DNS does not answer", "try again later"),
  "next-hop-away": form(451, "4.4.1", "the next server does not answer", "try again later"),
  "ledger-away": form(451, "4.3.0", "the record of this mail cannot be written", "try again later"),
  overloaded: form(451, "4.3.2", "this server has more to do than it can", "try again later"),
  "overloaded-now": form(421, "4.3.2", "this server can take no connection now", "one later"),
  "data-timeout": form(421, "4.4.2", "the mail takes too long to come", "the same mail, faster"),
  "idle-timeout": form(421, "4.4.2", "no whole command for too long", "connect again when there is mail"),
  "disk-full": form(452, "4.3.1", "no space left for the mail", "try again later"),
  "local-trouble": form(451, "4.3.0", "something went wrong here, not with you", "try again later"),
  "shutting-down": form(421, "4.3.2", "this server is going down for a moment", "try again at once"),
} as const satisfies Record<string, ReplyForm>;

export type ReplyId = keyof typeof REPLIES;

/** One other language's words: what was wrong, what would be accepted. */
export type WordTable = Readonly<Partial<Record<ReplyId, readonly [wrong: string, accepted: string]>>>;
