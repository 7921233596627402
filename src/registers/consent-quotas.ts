/** Consents with the quotas that hang on them: the number a recipient agreed to, and the caps of the laws that protect him. */
import type { Admissions, Key, QuotaGrant } from "../kit/store.ts";
import { CONSENTS, consentKey, fromRow, type Standing } from "./consent-rows.ts";

/** One cap, for one advertiser and one recipient. */
export interface CapAsk {
  /** Tells its count from others: the pack, and what is counted. */
  readonly name: string;
  readonly max: number;
  readonly windowMs: number;
  /** A number the recipient agreed to stands in its place. */
  readonly unlessAgreed: boolean;
}

export interface QuotaAsk {
  readonly recipient: string;
  readonly caps: readonly CapAsk[];
}

/** What became of one cap. */
export interface CapGrant extends Omit<QuotaGrant, "id" | "unlessOwn"> {
  /** The cap's name; undefined: the number the recipient agreed to. */
  readonly name: string | undefined;
  /** What goes back when the mail is not accepted. */
  readonly claim: Key;
}

export interface QuotaAnswer {
  readonly standing: Standing | undefined;
  readonly grants: readonly CapGrant[];
}

/** What rules may ask, in one round trip for each shard. @throws Unavailable when the register does not answer */
export interface ConsentQuotas {
  /** Takes one mail from each cap and from the agreed number. */
  take(advertiser: string, asks: readonly QuotaAsk[]): Promise<QuotaAnswer[]>;
  /** Only looks: would one more be granted? */
  look(advertiser: string, asks: readonly QuotaAsk[]): Promise<QuotaAnswer[]>;
}

export function createConsentQuotas(admissions: Admissions): ConsentQuotas {
  const ask = async (advertiser: string, asks: readonly QuotaAsk[], n: number): Promise<QuotaAnswer[]> => {
    const ownId = `agreed ${advertiser}`;
    const answers = await admissions.admit(
      CONSENTS,
      asks.map(({ recipient, caps }) => ({
        key: consentKey(advertiser, recipient),
        ownId,
        quotas: caps.map(({ name, max, windowMs, unlessAgreed }) => ({
          id: `${name} ${advertiser}`,
          max,
          windowMs,
          unlessOwn: unlessAgreed,
        })),
      })),
      n,
    );
    return answers.map(({ record, grants }, index) => ({
      standing: record && fromRow(record.value),
      grants: grants.map((grant) => toGrant(grant, asks[index]?.recipient ?? "", ownId)),
    }));
  };
  return {
    take: (advertiser, asks) => ask(advertiser, asks, 1),
    look: (advertiser, asks) => ask(advertiser, asks, 0),
  };
}

const toGrant = (
  { id, max, windowMs, granted, taken, freesAtMs }: QuotaGrant,
  recipient: string,
  ownId: string,
): CapGrant => ({
  max,
  windowMs,
  granted,
  taken,
  freesAtMs,
  name: id === ownId ? undefined : id.slice(0, id.indexOf(" ")),
  claim: { partition: recipient, id },
});

/** For looking at what would happen: nothing is taken. */
export const onlyLooking = (quotas: ConsentQuotas): ConsentQuotas => ({ take: quotas.look, look: quotas.look });
