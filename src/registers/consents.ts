import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import type { Clock } from "../kit/clock.ts";
import type { Key, Tables, Value } from "../kit/store.ts";
import { Unavailable } from "../kit/trouble.ts";

const consentSchema = z.strictObject({
  /** Address key of the recipient, lower case. */
  recipient: z.string(),
  /** Client id of a registered advertiser, else the domain that writes as From. */
  advertiser: z.string(),
  /** Kinds of product agreed to; empty: all (Circular 12/2008 III.1.1a). */
  topics: z.array(z.string()),
  grantedAtMs: z.number(),
  /** How the recipient said yes (Circular 12/2008 III.1.1b). */
  proof: z.strictObject({
    /** "paper", "web-form", "double-opt-in", "call", "import". */
    how: z.string(),
    /** Where the evidence is kept: a document number, a URL, a file hash. */
    reference: z.string().optional(),
    /** Which wording was agreed to. */
    textVersion: z.string().optional(),
    /** The address the recipient agreed from. */
    ip: z.string().optional(),
  }),
  /** Set once refused; from then on it is a refusal and blocks (Order 38 art. 14). */
  withdrawnAtMs: z.number().optional(),
});

/** A recipient's recorded word to one advertiser. */
export type Consent = Readonly<z.infer<typeof consentSchema>>;

/** What rules may ask. @throws Unavailable when the register does not answer */
export interface ConsentReader {
  /** Same order as `recipients` (address keys); undefined: nothing recorded. One round trip for each shard. */
  find(advertiser: string, recipients: readonly string[]): Promise<(Consent | undefined)[]>;
}

/** What became of many consents: how many were recorded, were known already, and met a refusal that came after them. */
export type GrantCounts = Readonly<Record<Granting, number>>;
export type Granting = "recorded" | "known" | "refused";

/** What is to become of a yes where something is recorded already: the later word counts, of two at one time the no. */
export function granting(known: Consent | undefined, yes: Consent): Granting {
  if (!known) return "recorded";
  if (known.withdrawnAtMs !== undefined) return yes.grantedAtMs > known.withdrawnAtMs ? "recorded" : "refused";
  return known.grantedAtMs > yes.grantedAtMs || isDeepStrictEqual(known, yes) ? "known" : "recorded";
}

export interface ConsentRegister extends ConsentReader {
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
  ofRecipient(recipient: string): AsyncIterable<Consent>;
  all(): AsyncIterable<Consent>;
}

const TABLE = "consents";
/** Partitioned by recipient: all of one person's words lie together. */
const keyOf = (advertiser: string, recipient: string): Key => ({ partition: recipient, id: advertiser });

/** The register of consents and refusals on any store. */
export function createConsentRegister(tables: Tables, clock: Clock): ConsentRegister {
  return {
    async find(advertiser, recipients) {
      const rows = await tables.getMany(
        TABLE,
        recipients.map((recipient) => keyOf(advertiser, recipient)),
      );
      return rows.map((row) => row && consentSchema.parse(row.value));
    },
    async grant({ grantedAtMs = clock.now(), ...consent }) {
      const counts = await grantMany(tables, [{ ...consent, grantedAtMs }]);
      return counts.recorded > 0 ? "recorded" : counts.refused > 0 ? "refused" : "known";
    },
    grantMany: (consents) => grantMany(tables, consents),
    withdraw: (advertiser, recipient) => withdraw(tables, { advertiser, recipient }, clock.now()),
    async *ofRecipient(recipient) {
      for await (const row of tables.list(TABLE, recipient)) yield consentSchema.parse(row.value);
    },
    async *all() {
      for await (const row of tables.scan(TABLE)) yield consentSchema.parse(row.value);
    },
  };
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
  const keys = consents.map(({ advertiser, recipient }) => keyOf(advertiser, recipient));
  const rows = await tables.getMany(TABLE, keys);
  const lost = await Promise.all(
    consents.map(async (consent, index) => {
      const row = rows[index];
      const fate = granting(row && consentSchema.parse(row.value), consent);
      const key = keys[index] as Key;
      const done =
        fate !== "recorded" || (await tables.put(TABLE, key, consent as unknown as Value, row?.version ?? 0));
      if (done !== undefined) counts[fate] += 1;
      return done === undefined ? [consent] : [];
    }),
  );
  return lost.flat();
}

/** Tries until nobody wrote in between, so that a yes recorded at the same moment cannot swallow the refusal. */
async function withdraw(
  tables: Tables,
  { advertiser, recipient }: { advertiser: string; recipient: string },
  nowMs: number,
): Promise<boolean> {
  const key = keyOf(advertiser, recipient);
  for (;;) {
    const row = await tables.get(TABLE, key);
    const known = row && consentSchema.parse(row.value);
    if (known?.withdrawnAtMs !== undefined) return false;
    const refused: Consent = known
      ? { ...known, withdrawnAtMs: nowMs }
      : { recipient, advertiser, topics: [], grantedAtMs: nowMs, proof: { how: "refusal" }, withdrawnAtMs: nowMs };
    if (await tables.put(TABLE, key, refused as unknown as Value, row?.version ?? 0)) return known !== undefined;
  }
}
