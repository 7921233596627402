import { isDeepStrictEqual } from "node:util";
import type { Clock } from "../kit/clock.ts";
import type { Key, Row, Tables, Versioned } from "../kit/store.ts";
import { Unavailable } from "../kit/trouble.ts";
import {
  CONSENTS,
  type Consent,
  consentKey,
  fromRow,
  PROOFS,
  type Proof,
  proofKey,
  readProof,
  type Standing,
  toProofRow,
  toRow,
} from "./consent-rows.ts";

export type { Consent, Proof, Standing } from "./consent-rows.ts";

/** What rules may ask. @throws Unavailable when the register does not answer */
export interface ConsentReader {
  /** Same order as `recipients` (address keys); undefined: nothing recorded. One round trip for each shard. */
  standing(advertiser: string, recipients: readonly string[]): Promise<(Standing | undefined)[]>;
}

/** What became of many consents: how many were recorded, were known already, and met a refusal that came after them. */
export type GrantCounts = Readonly<Record<Granting, number>>;
export type Granting = "recorded" | "known" | "refused";

/** What is to become of a yes where something is recorded already: the later word counts, of two at one time the no. */
export function granting(known: Consent | undefined, yes: Consent): Granting {
  if (!known) return "recorded";
  if (known.withdrawnAtMs !== undefined) return yes.grantedAtMs > known.withdrawnAtMs ? "recorded" : "refused";
  const { bounces: _, ...said } = known;
  return known.grantedAtMs > yes.grantedAtMs || isDeepStrictEqual(said, yes) ? "known" : "recorded";
}

export interface ConsentRegister extends ConsentReader {
  /** The same with the proof. */
  find(advertiser: string, recipients: readonly string[]): Promise<(Consent | undefined)[]>;
  /** Every yes that was ever recorded for the two, oldest first, each with its proof. */
  proofs(advertiser: string, recipient: string): Promise<{ readonly grantedAtMs: number; readonly proof: Proof }[]>;
  /**
   * Records a yes; it replaces an earlier refusal, never a later one.
   * @throws Unavailable when somebody else keeps changing the same record
   */
  grant(consent: Omit<Consent, "grantedAtMs" | "withdrawnAtMs"> & { grantedAtMs?: number }): Promise<Granting>;
  /**
   * Many at once, for imports. Durable when it resolves; writing the same ones again changes nothing. A refusal recorded
   * since a yes was given stands, also one that is recorded at this very moment.
   * @throws Unavailable when somebody else keeps changing the same records
   */
  grantMany(consents: readonly Consent[]): Promise<GrantCounts>;
  /** Records a refusal, also where no yes was recorded before. @returns whether a yes stood until now */
  withdraw(advertiser: string, recipient: string): Promise<boolean>;
  /** A mail to this recipient came back for good: counted with his yes; a new yes forgets it. Nothing where there is none. */
  bounced(advertiser: string, recipient: string): Promise<void>;
  ofRecipient(recipient: string): AsyncIterable<Consent>;
  all(): AsyncIterable<Consent>;
}

/** The register of consents and refusals on any store. */
export function createConsentRegister(tables: Tables, clock: Clock): ConsentRegister {
  const standing: ConsentRegister["standing"] = async (advertiser, recipients) => {
    const rows = await tables.getMany(
      CONSENTS,
      recipients.map((recipient) => consentKey(advertiser, recipient)),
    );
    return rows.map((row) => row && fromRow(row.value));
  };
  return {
    standing,
    async find(advertiser, recipients) {
      const found = await standing(advertiser, recipients);
      return withProofs(
        tables,
        found.map((each, index) => each && { ...each, advertiser, recipient: recipients[index] ?? "" }),
      );
    },
    proofs: (advertiser, recipient) => proofsOf(tables, advertiser, recipient),
    async grant({ grantedAtMs = clock.now(), ...consent }) {
      const counts = await grantMany(tables, [{ ...consent, grantedAtMs }]);
      return counts.recorded > 0 ? "recorded" : counts.refused > 0 ? "refused" : "known";
    },
    grantMany: (consents) => grantMany(tables, consents),
    withdraw: (advertiser, recipient) => withdraw(tables, { advertiser, recipient }, clock.now()),
    bounced: (advertiser, recipient) => bounced(tables, consentKey(advertiser, recipient), clock.now()),
    ofRecipient: (recipient) => proven(tables, tables.list(CONSENTS, recipient)),
    all: () => proven(tables, tables.scan(CONSENTS)),
  };
}

type Unproven = Omit<Consent, "proof">;

/** The proofs of many in one go. */
async function withProofs(tables: Tables, found: readonly (Unproven | undefined)[]): Promise<(Consent | undefined)[]> {
  const known = found.filter((each) => each !== undefined);
  const rows = await tables.getMany(PROOFS, known.map(proofKey));
  const proofs = new Map(known.map((each, index) => [each, readProof(rows[index]?.value)]));
  return found.map((each) => each && { ...each, proof: proofs.get(each) ?? readProof(undefined) });
}

async function* proven(tables: Tables, rows: AsyncIterable<Row>): AsyncGenerator<Consent> {
  let batch: Unproven[] = [];
  const flush = async (): Promise<Consent[]> => {
    const consents = await withProofs(tables, batch);
    batch = [];
    return consents.filter((each) => each !== undefined);
  };
  for await (const { key, value } of rows) {
    batch.push({ ...fromRow(value), recipient: key.partition, advertiser: key.id });
    if (batch.length === BATCH_RECORDS) yield* await flush();
  }
  yield* await flush();
}

async function proofsOf(tables: Tables, advertiser: string, recipient: string) {
  const found: { grantedAtMs: number; proof: Proof }[] = [];
  for await (const { key, value } of tables.list(PROOFS, recipient)) {
    const [whose, grantedAtMs] = key.id.split(" ");
    if (whose === advertiser) found.push({ grantedAtMs: Number(grantedAtMs), proof: readProof(value) });
  }
  return found.sort((one, other) => one.grantedAtMs - other.grantedAtMs);
}

/** How often a write may lose against others before it is given up. */
const TRIES_MAX = 20;
/** Records read and written in one go. */
const BATCH_RECORDS = 500;

async function grantMany(tables: Tables, consents: readonly Consent[]): Promise<GrantCounts> {
  const counts = { recorded: 0, known: 0, refused: 0 };
  for (let from = 0; from < consents.length; from += BATCH_RECORDS) {
    const batch = consents.slice(from, from + BATCH_RECORDS);
    let open: readonly Consent[] = latestOfEach(batch);
    counts.known += batch.length - open.length;
    for (let tries = 0; open.length > 0; tries += 1) {
      if (tries === TRIES_MAX) throw new Unavailable("store", "others keep changing the same consents");
      open = await grantBatch(tables, open, counts);
    }
  }
  return counts;
}

/** Two yeses for the same record would only race each other. */
function latestOfEach(consents: readonly Consent[]): Consent[] {
  const latest = new Map<string, Consent>();
  for (const consent of consents) {
    const key = JSON.stringify([consent.recipient, consent.advertiser]);
    const other = latest.get(key);
    if (!other || consent.grantedAtMs >= other.grantedAtMs) latest.set(key, consent);
  }
  return [...latest.values()];
}

/** Each record is written only where it still is what was read. @returns those where somebody else was first */
async function grantBatch(
  tables: Tables,
  consents: readonly Consent[],
  counts: Record<Granting, number>,
): Promise<Consent[]> {
  const keys = consents.map(({ advertiser, recipient }) => consentKey(advertiser, recipient));
  const rows = await tables.getMany(CONSENTS, keys);
  const proofs = await tables.getMany(PROOFS, consents.map(proofKey));
  const fates = consents.map((consent, index) => granting(knownOf(consent, rows[index], proofs[index]), consent));
  // The proof first: a yes that counts has one, whatever happens in between.
  const proving = consents.filter((_, index) => fates[index] === "recorded");
  await tables.putMany(
    PROOFS,
    proving.map((consent) => ({ key: proofKey(consent), value: toProofRow(consent.proof) })),
  );
  const lost = await Promise.all(
    consents.map(async (consent, index) => {
      const fate = fates[index] as Granting;
      const key = keys[index] as Key;
      const done = fate !== "recorded" || (await tables.put(CONSENTS, key, toRow(consent), rows[index]?.version ?? 0));
      if (done !== undefined) counts[fate] += 1;
      return done === undefined ? [consent] : [];
    }),
  );
  return lost.flat();
}

/** What is recorded for the pair; its proof matters only where the two are of one moment. */
function knownOf(
  { advertiser, recipient }: Consent,
  row: Versioned | undefined,
  proof: Versioned | undefined,
): Consent | undefined {
  return row && { ...fromRow(row.value), advertiser, recipient, proof: readProof(proof?.value) };
}

/** Tries until nobody wrote in between, so that a yes recorded at the same moment cannot swallow the refusal. */
async function withdraw(
  tables: Tables,
  { advertiser, recipient }: { advertiser: string; recipient: string },
  nowMs: number,
): Promise<boolean> {
  const key = consentKey(advertiser, recipient);
  for (;;) {
    const row = await tables.get(CONSENTS, key);
    const known = row && fromRow(row.value);
    if (known?.withdrawnAtMs !== undefined) return false;
    const refused: Standing = { ...(known ?? { grantedAtMs: nowMs, topics: [] }), withdrawnAtMs: nowMs };
    if (await tables.put(CONSENTS, key, toRow(refused), row?.version ?? 0)) return known !== undefined;
  }
}

/** Tries until nobody wrote in between. */
async function bounced(tables: Tables, key: Key, nowMs: number): Promise<void> {
  for (;;) {
    const row = await tables.get(CONSENTS, key);
    if (!row) return;
    const known = fromRow(row.value);
    const marked: Standing = { ...known, bounces: { count: (known.bounces?.count ?? 0) + 1, lastMs: nowMs } };
    if (await tables.put(CONSENTS, key, toRow(marked), row.version)) return;
  }
}
