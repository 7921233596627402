import type { Config, RuleMode } from "../config/schema.ts";
import { type DomainList, domainList } from "../mail/domains.ts";
import type { Recipient, Session } from "../mail/views.ts";
import type { Pack } from "./pack.ts";

/** Which packs protect whom, and how much they may do. */
export interface PackChoice {
  /**
   * Packs in force for a recipient of this sender's: those of his domain; where it names none, those the client writes under; else those
   * of the listener; else the default ones. Packs that are off are left out.
   */
  for(recipient: Recipient, session: Pick<Session, "client" | "packs">): readonly Pack[];
  /** The same before a recipient is known: what a law asks of whoever sends. */
  under(session: Pick<Session, "client" | "packs">): readonly Pack[];
  /** A pack that nobody gave a mode is watched: a new country never refuses mail on its first day. */
  mode(pack: Pack): RuleMode;
  /** Every pack some recipient may fall under, but for those that only clients name. */
  readonly active: readonly Pack[];
}

/** The `packs:` section, and what listeners name. */
type Section = Config["packs"] & { readonly listeners?: readonly (readonly string[] | undefined)[] };

/**
 * Applies the `packs:` section.
 * @param problems names that no pack has are added here
 */
export function choosePacks(section: Section, known: ReadonlyMap<string, Pack>, problems: string[]): PackChoice {
  const mode = (pack: Pack): RuleMode => section.modes[pack.id] ?? "watch";
  const inForce = (ids: readonly string[]): Pack[] =>
    ids.flatMap((id) => {
      const pack = known.get(id);
      return pack && mode(pack) !== "off" ? [pack] : [];
    });
  const named = (ids: readonly string[], where: string): Pack[] => {
    const unknown = ids.filter((id) => !known.has(id));
    const all = [...known.keys()].join(", ");
    problems.push(...unknown.map((id) => `${where}: there is no pack "${id}"; known: ${all}`));
    return inForce(ids);
  };
  named(
    Object.keys(section.modes).filter((id) => !known.has(id)),
    "packs.modes",
  );
  const fallback = Object.freeze(named(section.default, "packs.default"));
  const special = Object.entries(section.byRecipientDomain).map(([domain, ids]) => ({
    domains: domainList([domain]),
    packs: Object.freeze(named(ids, `packs.byRecipientDomain.${domain}`)),
  }));
  const listening = (section.listeners ?? []).flatMap((ids, index) => named(ids ?? [], `listeners.${index}.packs`));
  const chosen = remembered(inForce);
  const under: PackChoice["under"] = ({ client, packs }) => chosen(client?.packs) ?? chosen(packs) ?? fallback;
  return {
    mode,
    active: [...new Set([...fallback, ...special.flatMap(({ packs }) => packs), ...listening])],
    for: ({ address }, session) => find(special, address.domain) ?? under(session),
    under,
  };
}

/** Lists of names come again with every mail. One of which no pack is left (gone, or off) was no choice: nobody falls out of every law so. */
function remembered(inForce: (ids: readonly string[]) => Pack[]) {
  const known = new WeakMap<readonly string[], readonly Pack[]>();
  return (ids: readonly string[] | undefined): readonly Pack[] | undefined => {
    if (ids === undefined) return undefined;
    const packs = known.get(ids) ?? Object.freeze(inForce(ids));
    known.set(ids, packs);
    return packs.length === 0 && ids.length > 0 ? undefined : packs;
  };
}

const find = (special: readonly { domains: DomainList; packs: readonly Pack[] }[], domain: string) =>
  special.find(({ domains }) => domains.has(domain))?.packs;
