import type { Trouble } from "./chain-check.ts";
import type { Entry } from "./entry.ts";
import type { Anchor } from "./seal.ts";

/** The newest seal of a node: whoever keeps its digest can tell later that nothing before it was changed. */
export interface Tip {
  readonly node: string;
  readonly seq: number;
  readonly date: string;
  readonly digest: string;
  readonly key: string;
}

export interface Verification {
  readonly days: number;
  readonly entries: number;
  readonly tips: readonly Tip[];
  /** Days that are in no seal yet. */
  readonly open: readonly string[];
  readonly troubles: readonly Trouble[];
  /** What whoever reads the result should know. */
  readonly notes: readonly string[];
}

/** What a verification is held against besides the archive itself. */
export interface Witnesses {
  /** Of any node. */
  readonly anchors: readonly Anchor[];
  /** By digest of the seal: the retention in force when an entry says that the day was deleted. */
  readonly deletions: ReadonlyMap<string, number>;
  /** Public keys, PEM. */
  readonly keys: readonly string[];
}

/** What the ledger's own entries tell of its seals. @param entries of the events day-sealed and day-deleted */
export async function witnessesOf(entries: AsyncIterable<Entry>): Promise<Omit<Witnesses, "keys">> {
  const anchors: Anchor[] = [];
  const deletions = new Map<string, number>();
  for await (const { event, evidence = {} } of entries) {
    const { node, seq, date, digest, retentionDays } = evidence;
    if (event === "day-sealed") {
      anchors.push({ node: String(node), seq: Number(seq), date: String(date), digest: String(digest) });
    } else if (event === "day-deleted") {
      for (const each of String(digest).split(" ")) deletions.set(each, Number(retentionDays));
    }
  }
  return { anchors, deletions };
}
