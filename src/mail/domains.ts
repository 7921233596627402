import { parseDomain } from "./path.ts";

/** A compiled list of domains; `*.example.com` takes in every subdomain, not example.com itself. */
export interface DomainList {
  /** @param domain lower case A-labels, as in Address.domain */
  has(domain: string): boolean;
}

/** Compiles a list once, for many questions. Entries may be written with U-labels. */
export function domainList(entries: readonly string[]): DomainList {
  const exact = new Set<string>();
  const suffixes = new Set<string>();
  for (const entry of entries) {
    const wild = entry.startsWith("*.");
    const domain = parseDomain(wild ? entry.slice(2) : entry);
    if (domain) (wild ? suffixes : exact).add(domain);
  }
  return { has: (domain) => exact.has(domain) || (suffixes.size > 0 && someParent(domain, suffixes)) };
}

function someParent(domain: string, suffixes: ReadonlySet<string>): boolean {
  for (let dot = domain.indexOf("."); dot >= 0; dot = domain.indexOf(".", dot + 1)) {
    if (suffixes.has(domain.slice(dot + 1))) return true;
  }
  return false;
}
