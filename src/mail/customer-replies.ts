/** What customers hear of their own standing: permit, addresses, campaigns, signatures. A part of the catalogue in reply-forms.ts. */
import { form, type ReplyForm } from "./reply-form.ts";

export const CUSTOMER_REPLIES = {
  "client-suspended": form(550, "5.7.1", "you are suspended: your mail is not relayed for a time", "your mail again"),
  "licence-missing": form(
    550,
    "5.7.1",
    "mail services are relayed only with a permit or filing number",
    "your mail, once the operator of this server has recorded yours",
  ),
  "address-unregistered": form(
    550,
    "5.7.1",
    "your address is not registered for sending",
    "mail from your registered addresses; report others to the authority and to this server's operator",
  ),
  "campaign-undeclared": form(
    550,
    "5.7.1",
    "the mail does not fit what you declared you would send",
    "mail as declared; declare anything else to the operator of this server before",
  ),
  "campaign-number": form(550, "5.7.1", "more recipients than you declared", "no more than that, or a new declaration"),
  "campaign-rate": form(451, "4.7.1", "more recipients a minute than you declared", "the same mail in a minute"),
  "bulk-unproved": form(
    550,
    "5.7.26",
    "bulk mail proves the domain in From, by DKIM or SPF, and this does not",
    "mail of a domain that has its DKIM key here, or that is signed for it",
  ),
  "recipient-bounces": form(
    550,
    "5.1.1",
    "mail from you to this recipient came back again and again",
    "recipients that exist; one whose mailbox works again gives his consent anew",
  ),
} as const satisfies Record<string, ReplyForm>;
