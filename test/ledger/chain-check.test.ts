import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import {
  type ChainEvidence,
  checkChain,
  isPublicKey,
  keysByFingerprint,
  type PlacedSeal,
} from "../../src/ledger/chain-check.ts";
import { type Removal, readSeal, type Seal, sealKeyOf, writeSeal } from "../../src/ledger/seal.ts";

const key = sealKeyOf(generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString());
const DAY_MS = 86_400_000;
const dayOf = (seq: number): string =>
  new Date(Date.parse("2026-11-01") + (seq - 1) * DAY_MS).toISOString().slice(0, 10);

/** Seals 1 to n, sealed an hour after their day; some tell of removals. */
function chain(count: number, removed: Readonly<Record<number, readonly Removal[]>> = {}): PlacedSeal[] {
  const made: PlacedSeal[] = [];
  for (let seq = 1; seq <= count; seq += 1) {
    const seal: Seal = {
      schema: 1,
      node: "relay-1",
      date: dayOf(seq),
      volume: "day",
      seq,
      previous: made.at(-1)?.digest ?? null,
      sealedAt: new Date(Date.parse(dayOf(seq)) + DAY_MS + 3_600_000).toISOString(),
      entries: 1,
      files: [],
      rows: "",
      counts: [],
      replaces: [],
      taken: {},
      removed: removed[seq] ?? [],
      key: key.fingerprint,
    };
    const read = readSeal(writeSeal(seal, key));
    if (read) made.push({ ...read, place: { date: seal.date, node: seal.node, volume: "day" } });
  }
  return made;
}

const knownOf = ({ seal, digest }: PlacedSeal) => ({ seq: seal.seq, date: seal.date, digest });
const removalOf = (seal: PlacedSeal | undefined, removedAt: string): Removal => ({
  seq: seal?.seal.seq ?? 0,
  date: seal?.seal.date ?? "",
  volume: "day",
  digest: seal?.digest ?? "",
  entries: 1,
  removedAt,
});

const evidence = (more: Partial<ChainEvidence>): ChainEvidence => ({
  node: "relay-1",
  seals: [],
  listed: (more.seals ?? []).map(knownOf),
  listedRemovals: [],
  anchors: [],
  deletions: new Map(),
  allEntries: true,
  keys: keysByFingerprint([key.publicPem]),
  ...more,
});
const says = (more: Partial<ChainEvidence>): string[] =>
  checkChain(evidence(more)).map(({ date, says: words }) => `${date ?? "-"} ${words}`);

describe("a chain of seals", () => {
  const seals = chain(5);
  const [first] = seals;

  it("that is whole has nothing wrong with it", () => {
    expect(says({ seals, anchors: seals.map(knownOf) })).toEqual([]);
    expect(says({})).toEqual([]);
  });

  it.each([1, 3, 5])("of which seal %i is missing is told from the list or from an anchor", (seq) => {
    const rest = seals.filter(({ seal }) => seal.seq !== seq);
    const missing = [`${dayOf(seq)} is missing: seal ${seq} is not there, and nobody deleted it`];
    expect(says({ seals: rest, listed: seals.map(knownOf) })).toEqual(missing);
    expect(says({ seals: rest, anchors: seals.map(knownOf) })).toEqual(missing);
  });

  it("tells of a gap that nothing else speaks of", () => {
    const rest = seals.filter(({ seal }) => seal.seq !== 3);
    expect(says({ seals: rest })).toEqual([
      "- is missing: seal 3, whose day nothing tells, is not there, and nobody deleted it",
    ]);
  });

  it("has each seal once", () => {
    const twice = seals.flatMap((seal) => (seal.seal.seq === 2 ? [seal, { ...seal }] : [seal]));
    expect(says({ seals: twice })).toEqual([`${dayOf(2)} seal 2 is there twice`]);
  });

  const gone = removalOf(first, "2027-01-02T00:00:00.000Z");
  const after = seals.slice(1);
  it.each<[string, Partial<ChainEvidence>, readonly string[]]>([
    ["an entry says so", { listedRemovals: [gone], deletions: new Map([[gone.digest, 60]]) }, []],
    [
      "only the list says so",
      { listedRemovals: [gone] },
      ["is gone: it is said to be deleted, but neither a seal nor an entry says so"],
    ],
    ["another node's next seal is to come", { listedRemovals: [gone], allEntries: false }, []],
    [
      "its time was not over",
      { listedRemovals: [gone], deletions: new Map([[gone.digest, 100]]) },
      ["was deleted before its time, at 2027-01-02T00:00:00.000Z"],
    ],
  ])("lets a day be gone as far as %s", (_, more, expected) => {
    expect(says({ seals: after, listed: seals.map(knownOf), ...more })).toEqual(
      expected.map((each) => `${dayOf(1)} ${each}`),
    );
  });

  it("lets a day be gone that a later seal tells of", () => {
    const told = chain(5, { 4: [{ ...gone, removedAt: "2026-11-04T00:00:00.000Z" }] });
    expect(says({ seals: told.slice(1), listed: [] })).toEqual([]);
  });

  it("holds each seal against what was said of it elsewhere", () => {
    const anchors = [{ seq: 2, date: dayOf(2), digest: "0".repeat(64) }];
    expect(says({ seals, anchors })).toEqual([
      `${dayOf(2)} seal 2 is another one than the anchor says: it was made anew`,
    ]);
  });

  it("needs a key that somebody gave", () => {
    expect(says({ seals: seals.slice(0, 1), keys: new Map() })).toEqual([
      `${dayOf(1)} its seal is signed with key ${key.fingerprint}, which nobody gave`,
    ]);
    expect([isPublicKey(key.publicPem), isPublicKey("no key")]).toEqual([true, false]);
  });
});
