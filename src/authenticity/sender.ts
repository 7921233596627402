import type { Address } from "../mail/address.ts";
import { organisationOf } from "../mail/organisation.ts";
import type { Authenticity } from "./judge.ts";

/**
 * Does the domain of MAIL FROM vouch for the mail: SPF passed for it, or a DKIM signature of its organisation holds, or DMARC passed for an
 * author of its organisation? Only then a report of ours reaches somebody who sent it (RFC 5321 6.2, RFC 3834 5). HELO proves nothing of
 * a mailbox, and what an ARC sealer has seen it has seen of From.
 *
 * @param sender of MAIL FROM; null: nobody, who is never told anything
 */
export function provesSender({ spf, dkim, dmarc }: Authenticity, sender: Address | null): boolean {
  if (sender === null || sender.domain.startsWith("[")) return false;
  if (spf.identity === "mailfrom" && spf.outcome.result === "pass") return true;
  const organisation = organisationOf(sender.domain);
  const isTheirs = (domain: string | undefined): boolean =>
    domain !== undefined && organisationOf(domain.toLowerCase()) === organisation;
  return (
    dkim.some(({ result, domain }) => result === "pass" && isTheirs(domain)) ||
    (dmarc.result === "pass" && isTheirs(dmarc.author))
  );
}
