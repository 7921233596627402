/**
 * The same promise for advertising that waited in the queue (registers/flights.ts): each attempt announces itself, then asks whether anybody has
 * refused meanwhile, then is made; a refusal that is recorded while it goes on is acknowledged when it has ended. Other mail pays nothing.
 */

import type { Clock } from "../kit/clock.ts";
import { createRecent } from "../kit/recent.ts";
import type { PackChoice } from "../law/choice.ts";
import { mayRefuse, type Source } from "../law/source.ts";
import { writeReply } from "../mail/replies.ts";
import type { Recipient } from "../mail/views.ts";
import type { ConsentReader } from "../registers/consents.ts";
import type { Flight, Flights } from "../registers/flights.ts";
import { demandsOf } from "../rules/consent/demands.ts";
import type { GateSettings } from "./ad-gate.ts";
import type { Gate, Permission, QueuedMail } from "./queue/queued.ts";

export interface FlightGateParts {
  readonly flights: Pick<Flights, "begin">;
  readonly consents: ConsentReader;
  /** Whoever else has a say. */
  readonly inner?: Gate;
  /** By what a refusal binds the mail's sender; undefined: by nothing that is enforced. */
  readonly sourceOf: (mail: QueuedMail, recipient: Recipient) => Source | undefined;
  readonly clock: Clock;
  /** Longest time one attempt may take, ms. */
  readonly attemptMaxMs: number;
}

/** Most attempts at a time; what is forgotten counts as on its way until its time is over. */
const FLYING_MAX = 100_000;
const RULE = "consent/recorded-consent";
const GO: Permission = Object.freeze({ kind: "go" });

export function createFlightGate({ flights, consents, inner, sourceOf, clock, attemptMaxMs }: FlightGateParts): Gate {
  const flying = createRecent<{ readonly flight: Flight; left: number }>(FLYING_MAX);
  const rest = async (mail: QueuedMail, recipients: readonly Recipient[]): Promise<readonly Permission[]> =>
    (await inner?.mayGo(mail, recipients)) ?? recipients.map(() => GO);

  async function ask(mail: QueuedMail, advertiser: string, recipients: readonly Recipient[]): Promise<Permission[]> {
    const [answers, standings] = await Promise.all([
      rest(mail, recipients),
      consents.standing(
        advertiser,
        recipients.map(({ address }) => address.key),
      ),
    ]);
    return recipients.map((recipient, index) => {
      const answer = answers[index] ?? GO;
      if (answer.kind !== "go" || standings[index]?.withdrawnAtMs === undefined) return answer;
      const source = sourceOf(mail, recipient);
      return source ? never(mail.id, source) : answer;
    });
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

const never = (mailId: string, { cite }: Source): Permission => ({
  kind: "never",
  reply: writeReply("consent-withdrawn", { mailId, article: cite }),
  rule: RULE,
  source: cite,
});

/** The article by which a refusal binds the sender of a mail, as packs and operator have it now. */
export const bindingSource =
  (law: () => { readonly choice: PackChoice; readonly gate: GateSettings }): FlightGateParts["sourceOf"] =>
  ({ session }, recipient) => {
    const { choice, gate } = law();
    if (gate.modeOf(RULE, session.clientId ?? "") !== "enforce") return undefined;
    const packs = choice.for(recipient, session).filter((pack) => choice.mode(pack) === "enforce");
    const who = session.clientId !== undefined || session.inRelayNetworks ? "clients" : "strangers";
    const binding = demandsOf(packs).withdrawn.find(
      ({ requirement: { onMissing, source } }) => mayRefuse(source) && ["reject", "label"].includes(onMissing[who]),
    );
    return binding?.requirement.source;
  };
