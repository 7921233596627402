import { getDomain } from "tldts";

/**
 * The domain somebody registered, by the Public Suffix List: "mail.example.co.uk" is of "example.co.uk" (RFC 7489 3.2).
 * A public suffix itself is its own.
 *
 * @param domain lower case A-labels
 */
export const organisationOf = (domain: string): string => getDomain(domain, { allowPrivateDomains: true }) ?? domain;
