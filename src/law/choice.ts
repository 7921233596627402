import type { Config, RuleMode } from "../config/schema.ts";
import { type DomainList, domainList } from "../mail/domains.ts";
import type { Recipient } from "../mail/views.ts";
import type { Pack } from "./pack.ts";

/** Which packs protect whom, and how much they may do. */
export interface PackChoice {
  /** Packs in force for a recipient: those of his domain, else the default ones; packs that are off are left out. */
  for(recipient: Recipient): readonly Pack[];
  /** A pack that nobody gave a mode is watched: a new country never refuses mail on its first day. */
  mode(pack: Pack): RuleMode;
  /** Every pack some recipient may fall under. */
  readonly active: readonly Pack[];
}

/**
 * Applies the `packs:` section.
 * @param problems names that no pack has are added here
 */
export function choosePacks(
  section: Config["packs"],
  known: ReadonlyMap<string, Pack>,
  problems: string[],
): PackChoice {
  const mode = (pack: Pack): RuleMode => section.modes[pack.id] ?? "watch";
  const named = (ids: readonly string[], where: string): Pack[] =>
    ids.flatMap((id) => {
      const pack = known.get(id);
      if (!pack) problems.push(`packs.${where}: there is no pack "${id}"; known: ${[...known.keys()].join(", ")}`);
      return pack && mode(pack) !== "off" ? [pack] : [];
    });
  for (const id of Object.keys(section.modes)) if (!known.has(id)) named([id], "modes");
  const fallback = Object.freeze(named(section.default, "default"));
  const special = Object.entries(section.byRecipientDomain).map(([domain, ids]) => ({
    domains: domainList([domain]),
    packs: Object.freeze(named(ids, `byRecipientDomain.${domain}`)),
  }));
  return {
    mode,
    active: [...new Set([...fallback, ...special.flatMap(({ packs }) => packs)])],
    for: ({ address }) => find(special, address.domain) ?? fallback,
  };
}

const find = (special: readonly { domains: DomainList; packs: readonly Pack[] }[], domain: string) =>
  special.find(({ domains }) => domains.has(domain))?.packs;
