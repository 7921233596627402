/**
 * Whether the seals of a node still are the chain that was made: each signed, each in its place, none missing, none put in between. Whoever
 * holds the key could make a new chain; so it is also held against what was said of it elsewhere: anchors and the ledger's own entries.
 */
import { createPublicKey } from "node:crypto";
import { type Anchor, fingerprintOf, isSigned, type ReadSeal, type Removal } from "./seal.ts";

/** A seal, and where it was found. */
export interface PlacedSeal extends ReadSeal {
  readonly place: { readonly date: string; readonly node: string; readonly volume: string };
}

/** Something that is not as it was sealed. */
export interface Trouble {
  readonly node: string;
  readonly date?: string;
  /** Id of the entry concerned. */
  readonly entry?: string;
  /** "is missing", "was changed" … */
  readonly says: string;
}

/** What is known of a seal without having it. */
type Known = Omit<Anchor, "node">;

export interface ChainEvidence {
  readonly node: string;
  readonly seals: readonly PlacedSeal[];
  /** The list beside the archive: easily changed, good for names. */
  readonly listed: readonly Known[];
  readonly listedRemovals: readonly Removal[];
  /** What was said of seals where whoever changed the archive could not change it. */
  readonly anchors: readonly Known[];
  /** Deletions that are entries of the ledger: digest of the seal, and the retention that was in force. */
  readonly deletions: ReadonlyMap<string, number>;
  /** Every entry of this node is among those looked through for deletions. */
  readonly allEntries: boolean;
  /** Public keys by fingerprint. */
  readonly keys: ReadonlyMap<string, string>;
}

const DAY_MS = 86_400_000;

export function isPublicKey(pem: string): boolean {
  try {
    return createPublicKey(pem).asymmetricKeyType === "ed25519";
  } catch {
    return false;
  }
}

/** @param pems of which each is a public key */
export const keysByFingerprint = (pems: readonly string[]): Map<string, string> =>
  new Map(pems.map((pem) => [fingerprintOf(createPublicKey(pem)), pem]));

/** @returns what is wrong, in the order of the chain */
export function checkChain(evidence: ChainEvidence): Trouble[] {
  return [
    ...evidence.seals.flatMap((seal) => checkSeal(seal, evidence)),
    ...checkLinks(evidence),
    ...checkAnchors(evidence),
  ];
}

function checkSeal(found: PlacedSeal, { keys }: ChainEvidence): Trouble[] {
  const { seal, place } = found;
  const at = { node: place.node, date: place.date };
  const pem = keys.get(seal.key);
  if (pem === undefined) return [{ ...at, says: `its seal is signed with key ${seal.key}, which nobody gave` }];
  if (!isSigned(found, pem)) return [{ ...at, says: "its seal was changed: the signature does not fit" }];
  if (seal.date !== place.date || seal.node !== place.node) {
    return [{ ...at, says: `here lies day ${seal.date} of node ${seal.node}: it was moved or swapped` }];
  }
  if (seal.volume !== place.volume) return [{ ...at, says: `volume ${seal.volume} lies here as ${place.volume}` }];
  return [];
}

/** Walks from the first seal there ever was to the last one anybody speaks of. */
function checkLinks(evidence: ChainEvidence): Trouble[] {
  const { node, seals, listed, anchors } = evidence;
  const found = new Map(seals.map((each) => [each.seal.seq, each]));
  const named = new Map([...listed, ...anchors].map((each) => [each.seq, each]));
  const removals = removalsOf(evidence);
  const last = Math.max(0, ...found.keys(), ...named.keys(), ...removals.keys());
  const troubles: Trouble[] = seals
    .filter((each) => found.get(each.seal.seq) !== each)
    .map(({ seal, place }) => ({ node, date: place.date, says: `seal ${seal.seq} is there twice` }));
  let previous: string | null | undefined = null;
  for (let seq = 1; seq <= last; seq += 1) {
    const here = found.get(seq);
    const removal = removals.get(seq);
    if (here) {
      if (previous !== undefined && here.seal.previous !== previous) {
        troubles.push({
          node,
          date: here.place.date,
          says: `seal ${seq} does not follow seal ${seq - 1}: the chain is broken`,
        });
      }
    } else if (removal) troubles.push(...checkRemoval(removal, evidence));
    else troubles.push(missing(seq, named.get(seq), node));
    previous = here?.digest ?? removal?.digest;
  }
  return troubles;
}

const missing = (seq: number, known: Known | undefined, node: string): Trouble => ({
  node,
  ...(known && { date: known.date }),
  says: `is missing: seal ${seq}${known ? "" : ", whose day nothing tells,"} is not there, and nobody deleted it`,
});

/** Deletions that seals speak of, and those that only the list knows. */
function removalsOf({ seals, listedRemovals }: ChainEvidence): Map<number, Removal> {
  const all = [...listedRemovals, ...seals.flatMap(({ seal }) => seal.removed)];
  return new Map(all.map((removal) => [removal.seq, removal]));
}

/** Was it deleted in the open, and when its time was over? */
function checkRemoval(removal: Removal, evidence: ChainEvidence): Trouble[] {
  const { node, deletions } = evidence;
  const { date, digest, removedAt } = removal;
  const retentionDays = deletions.get(digest);
  if (retentionDays === undefined && !isTold(removal, evidence)) {
    return [{ node, date, says: "is gone: it is said to be deleted, but neither a seal nor an entry says so" }];
  }
  const dueMs = Date.parse(date) + (1 + (retentionDays ?? 0)) * DAY_MS;
  return Date.parse(removedAt) < dueMs ? [{ node, date, says: `was deleted before its time, at ${removedAt}` }] : [];
}

/** Does a seal tell of it, or may it be that none does: the seals that did are gone themselves, or the next one is still to come? */
function isTold({ seq, removedAt }: Removal, { seals, allEntries }: ChainEvidence): boolean {
  if (seals.some(({ seal }) => seal.removed.some((removed) => removed.seq === seq))) return true;
  const times = seals.map(({ seal }) => Date.parse(seal.sealedAt));
  const removedMs = Date.parse(removedAt);
  return removedMs < Math.min(...times) || (!allEntries && removedMs >= Math.max(...times));
}

function checkAnchors(evidence: ChainEvidence): Trouble[] {
  const { node, seals, listed, anchors } = evidence;
  const digests = new Map<number, string>([
    ...listed.map(({ seq, digest }): [number, string] => [seq, digest]),
    ...[...removalsOf(evidence).values()].map(({ seq, digest }): [number, string] => [seq, digest]),
    ...seals.map(({ seal, digest }): [number, string] => [seal.seq, digest]),
  ]);
  const broken = anchors.filter(({ seq, digest }) => digests.has(seq) && digests.get(seq) !== digest);
  return [...new Map(broken.map((anchor) => [anchor.seq, anchor])).values()].map(({ seq, date }) => ({
    node,
    date,
    says: `seal ${seq} is another one than the anchor says: it was made anew`,
  }));
}
