/**
 * The same promise for advertising that waited in the queue (registers/flights.ts): each attempt announces itself, then asks whether anybody has
 * refused meanwhile, then is made; a refusal that is recorded while it goes on is acknowledged when it has ended. Other mail pays nothing.
 */

import type { Clock } from "../kit/clock.ts";
import { createRecent } from "../kit/recent.ts";
import { writeReply } from "../mail/replies.ts";
import type { Recipient } from "../mail/views.ts";
import type { ConsentReader } from "../registers/consents.ts";
import type { Flight, Flights } from "../registers/flights.ts";
import { recordedConsent } from "../rules/consent/recorded-consent.ts";
import type { Gate, Permission, QueuedMail } from "./queue/queued.ts";

export interface FlightGateParts {
  readonly flights: Pick<Flights, "begin">;
  readonly consents: ConsentReader;
  /** Asked about those who have not refused. */
  readonly inner?: Gate;
  readonly clock: Clock;
  /** Longest time one attempt may take, ms. */
  readonly attemptMaxMs: number;
}

/** Most attempts at a time; what is forgotten counts as on its way until its time is over. */
const FLYING_MAX = 100_000;
const RULE = recordedConsent.id;
const [, SOURCE = recordedConsent.sources[0]] = recordedConsent.sources;
const GO: Permission = Object.freeze({ kind: "go" });

export function createFlightGate({ flights, consents, inner, clock, attemptMaxMs }: FlightGateParts): Gate {
  const flying = createRecent<{ readonly flight: Flight; left: number }>(FLYING_MAX);
  const rest = async (mail: QueuedMail, recipients: readonly Recipient[]): Promise<readonly Permission[]> =>
    recipients.length === 0 ? [] : ((await inner?.mayGo(mail, recipients)) ?? recipients.map(() => GO));

  async function ask(mail: QueuedMail, advertiser: string, recipients: readonly Recipient[]): Promise<Permission[]> {
    const keys = recipients.map(({ address }) => address.key);
    const standings = await consents.standing(advertiser, keys);
    const refused = recipients.map((_, index) => standings[index]?.withdrawnAtMs !== undefined);
    const others = await rest(
      mail,
      recipients.filter((_, index) => !refused[index]),
    );
    const answers = others.values();
    return refused.map((isRefused) => (isRefused ? never(mail.id) : (answers.next().value ?? GO)));
  }

  return {
    async mayGo(mail, recipients) {
      const { advertiser } = mail;
      if (advertiser === undefined) return rest(mail, recipients);
      const keys = recipients.map(({ address }) => address.key);
      // One lease at a time: whoever takes a mail over from a process that died takes its flight over, too.
      const flight = await flights.begin(advertiser, keys, `queued ${mail.id}`);
      try {
        const answers = await ask(mail, advertiser, recipients);
        const left = answers.filter(({ kind }) => kind === "go").length;
        if (left === 0) void flight.end();
        else flying.set(mail.id, { flight, left }, clock.now() + attemptMaxMs);
        return answers;
      } catch (error) {
        void flight.end();
        throw error;
      }
    },
    async ended(mail, recipients, attempts) {
      const entry = flying.get(mail.id, clock.now());
      if (entry) {
        entry.left -= recipients.length;
        if (entry.left <= 0) {
          flying.delete(mail.id);
          await entry.flight.end();
        }
      }
      await inner?.ended(mail, recipients, attempts);
    },
  };
}

const never = (mailId: string): Permission => ({
  kind: "never",
  reply: writeReply("consent-withdrawn", { mailId, article: SOURCE.cite }),
  rule: RULE,
  source: SOURCE.cite,
});
