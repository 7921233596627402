/**
 * One question to the store where rules ask about the same recipients at the same moment: whether there is a yes (consent/recorded-consent),
 * whether mail came back (consent/bouncing) and what is left over (consent/scope). The second answer holds the first, so the first waits for the end of the turn, and is asked for by
 * itself only when nobody asked the second.
 */
import type { ConsentQuotas, QuotaAsk } from "./consent-quotas.ts";
import type { ConsentReader, Standing } from "./consents.ts";

type Standings = (Standing | undefined)[];

/** A question that nobody has asked yet. */
interface Waiting {
  readonly advertiser: string;
  readonly recipients: readonly string[];
  readonly resolve: (standings: Standings | Promise<Standings>) => void;
  readonly reject: (error: unknown) => void;
}

/** @returns the same two readers, which share their questions */
export function shareQuestions(
  consents: ConsentReader,
  quotas: ConsentQuotas,
): { consents: ConsentReader; quotas: ConsentQuotas } {
  let waiting: Waiting[] = [];
  const askAlone = (): void => {
    const left = waiting;
    waiting = [];
    const asked: {
      readonly advertiser: string;
      readonly recipients: readonly string[];
      readonly answer: Promise<Standings>;
    }[] = [];
    for (const { advertiser, recipients, resolve } of left) {
      const same = asked.find((each) => each.advertiser === advertiser && isSame(each.recipients, recipients));
      const answer = same?.answer ?? consents.standing(advertiser, recipients);
      if (!same) asked.push({ advertiser, recipients, answer });
      resolve(answer);
    }
  };
  const sharing = (ask: ConsentQuotas["take"]): ConsentQuotas["take"] => {
    return (advertiser, asks) => {
      const answers = ask(advertiser, asks);
      if (waiting.length === 0) return answers;
      const sharers = waiting.filter((each) => each.advertiser === advertiser && covers(asks, each.recipients));
      if (sharers.length > 0) {
        waiting = waiting.filter((each) => !sharers.includes(each));
        answers.then(
          (all) => {
            const standings = all.map(({ standing }) => standing);
            for (const { resolve } of sharers) resolve(standings);
          },
          (error: unknown) => {
            for (const { reject } of sharers) reject(error);
          },
        );
      }
      return answers;
    };
  };
  return {
    consents: {
      standing: (advertiser, recipients) =>
        new Promise((resolve, reject) => {
          if (waiting.length === 0) queueMicrotask(askAlone);
          waiting.push({ advertiser, recipients, resolve, reject });
        }),
    },
    quotas: { take: sharing(quotas.take), look: sharing(quotas.look) },
  };
}

const isSame = (one: readonly string[], other: readonly string[]): boolean =>
  one.length === other.length && one.every((recipient, index) => recipient === other[index]);

/** Rules go through recipients in the same order, most often; otherwise each asks by itself. */
const covers = (asks: readonly QuotaAsk[], recipients: readonly string[]): boolean =>
  asks.length === recipients.length && asks.every(({ recipient }, index) => recipient === recipients[index]);
