/**
 * Watches the recipients a client or stranger asks for, and paces its answers: first they come later and later, then the
 * connection is ended, then the door is shut for a time. From the first suspicion on, every answer falls on the same beat,
 * whether the mailbox exists or not; from turning away on, nobody is asked any more.
 */
import type { Clock } from "../kit/clock.ts";
import type { Store } from "../kit/store.ts";
import { Unavailable } from "../kit/trouble.ts";
import { isPositive, type Reply } from "../mail/replies.ts";
import type { MailView, Recipient, Session } from "../mail/views.ts";
import type { BlockReader } from "./blocks.ts";
import {
  createHarvestCount,
  type HarvestLimits,
  isTrap,
  type Suspicion,
  saysUnknown,
  type Tally,
  UNSUSPECTED,
} from "./harvest.ts";
import { isClientSubject, type Subjects, subjectsOf } from "./subject.ts";
import type { Warden } from "./warden.ts";

/** What the rule conduct/harvesting is told by its options. */
export interface HarvestOptions extends HarvestLimits {
  readonly delayMs: number;
  readonly delayMaxMs: number;
  readonly blockMs: number;
  readonly blockMaxMs: number;
}

/** In force now. */
export interface HarvestSetting {
  readonly options: HarvestOptions;
  /** Does the operator enforce, for this client? Then answers are paced and blocks are made; else it is only counted. */
  readonly acts: (client: string | undefined) => boolean;
}

/** What became of one RCPT. */
export interface Answered {
  readonly reply: Reply;
  /** The next hop was asked. */
  readonly asked: boolean;
}

export interface RecipientWatch {
  /** Runs one RCPT and lets its answer out when it is time. */
  rcpt(view: MailView, recipient: Recipient, ask: () => Promise<Answered>): Promise<Reply>;
  /** What was noticed of the session and is being written down; undefined: nothing is. Never rejects. */
  pending(session: Session): Promise<void> | undefined;
  /** How the session stands, as far as this process knows: at once. */
  suspicion(session: Session): Suspicion;
}

export interface WatchParts {
  readonly store: Pick<Store, "windows" | "marks">;
  readonly clock: Clock;
  readonly blocks: BlockReader;
  readonly warden: Warden;
  readonly setting: () => HarvestSetting;
  /** What was noticed could not be counted or written down. Must not throw. */
  readonly onTrouble: (error: unknown) => void;
  /** Waits. */
  readonly pause: (ms: number) => Promise<void>;
}

/** Most answers held back at once in this process; whoever comes beyond is turned away instead. */
const PACED_MAX = 500;

export function createRecipientWatch(parts: WatchParts): RecipientWatch {
  const { clock, setting, pause } = parts;
  const count = createHarvestCount(parts.store, clock, () => setting().options);
  let paced = 0;

  /** Answers fall on whole beats since the question, so that their time says nothing of what was found. */
  const waitForBeat = async (beatMs: number, sinceMs: number): Promise<void> => {
    const spentMs = Math.max(0, clock.now() - sinceMs);
    paced += 1;
    try {
      await pause(Math.max(1, Math.ceil((spentMs + 1) / beatMs)) * beatMs - spentMs);
    } finally {
      paced -= 1;
    }
  };
  return {
    pending(session) {
      const subjects = subjectsOf(session);
      return subjects && count.tally(subjects).telling;
    },
    suspicion(session) {
      const subjects = subjectsOf(session);
      if (!subjects) return UNSUSPECTED;
      const { suspicion } = count.tally(subjects);
      const { options, acts } = setting();
      const crowded = paced >= PACED_MAX && suspicion.score >= 1 && acts(session.client?.id);
      return crowded ? { ...suspicion, score: Math.max(suspicion.score, options.turnAwayAt) } : suspicion;
    },
    async rcpt(view, recipient, ask) {
      const subjects = subjectsOf(view.session);
      if (!subjects) return (await ask()).reply;
      const tally = count.tally(subjects);
      if (tally.telling) await tally.telling;
      if (tally.suspicion.score > 0) await forgetPardoned(parts, view.session, tally);
      const { options, acts } = setting();
      const beatMs = acts(view.session.client?.id) ? beatOf(tally.suspicion, options) : 0;
      const askedAtMs = clock.now();
      const answered = await ask();
      take({ ...parts, count }, { view, recipient, subjects, tally }, answered);
      // A refusal of our own says nothing of mailboxes: it need not wait.
      if (answered.asked && beatMs > 0 && paced < PACED_MAX) await waitForBeat(beatMs, askedAtMs);
      return answered.reply;
    },
  };
}

/** Whoever was let off since he was last counted begins anew. */
async function forgetPardoned({ blocks }: WatchParts, session: Session, tally: Tally): Promise<void> {
  try {
    const { sinceMs } = await blocks.of(session);
    if (sinceMs > tally.countedAtMs) tally.suspicion = UNSUSPECTED;
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
  }
}

/** From suspicion on twice as long with every quarter on the way to the next step. */
function beatOf({ score }: Suspicion, { delayMs, delayMaxMs }: HarvestOptions): number {
  if (score < 1) return 0;
  return Math.min(delayMaxMs, delayMs * 2 ** Math.min(20, Math.floor((score - 1) * 4)));
}

type Counting = WatchParts & { readonly count: ReturnType<typeof createHarvestCount> };

interface Asked {
  readonly view: MailView;
  readonly recipient: Recipient;
  readonly subjects: Subjects;
  readonly tally: Tally;
}

/** Notes an answer. Only what tells against somebody goes to the store at once; the next question waits for it, this one does not. */
function take(parts: Counting, asked: Asked, { reply, asked: wasAsked }: Answered): void {
  const { view, recipient, subjects, tally } = asked;
  const { options } = parts.setting();
  const trapped = isTrap(recipient, options);
  const turnedAway = !wasAsked && tally.suspicion.score >= options.turnAwayAt;
  if (!trapped && !turnedAway && !(wasAsked && saysUnknown(reply))) {
    if (wasAsked && isPositive(reply)) count(parts, view.session, subjects);
    return;
  }
  const local = turnedAway ? undefined : recipient.address.local;
  const telling = tell(parts, asked, { trapped, ...(local !== undefined && { local }) })
    // What the store cannot be told now is not counted: suspicion needs many, and one mail does not wait for it.
    .catch(parts.onTrouble)
    .finally(() => {
      if (tally.telling === telling) tally.telling = undefined;
    });
  tally.telling = telling;
}

/** An existing recipient: a batch in memory, and no wait. */
function count({ count: harvest, blocks }: Counting, session: Session, subjects: Subjects): void {
  const standing = blocks.of(session);
  if (standing instanceof Promise) {
    standing.then(
      ({ sinceMs }) => harvest.known(subjects, sinceMs),
      () => harvest.known(subjects, 0),
    );
  } else harvest.known(subjects, standing.sinceMs);
}

async function tell(
  { blocks, count: harvest, setting, warden }: Counting,
  { view, subjects, tally }: Asked,
  { trapped, local }: { readonly trapped: boolean; readonly local?: string },
): Promise<void> {
  const { sinceMs } = await blocks.of(view.session);
  const suspicion = await harvest.unknown(subjects, sinceMs, local);
  const { options, acts } = setting();
  if (trapped) {
    tally.suspicion = { ...suspicion, trapped: true, score: Math.max(suspicion.score, options.blockAt) };
  }
  if (!acts(view.session.client?.id) || tally.suspicion.score < options.blockAt) return;
  const { own, around } = subjects;
  const { unknown, known, similar, networkUnknown, networkSimilar } = tally.suspicion;
  const ofNetwork = !trapped && around !== undefined && unknown < options.unknownMin && similar < options.similarMin;
  await warden.block({
    subject: ofNetwork ? around : own,
    action: "refuse",
    reason: trapped ? "spam-trap" : "harvesting",
    forMs: options.blockMs,
    atMostMs: options.blockMaxMs,
    facts: {
      unknown,
      known,
      similar,
      ...(!isClientSubject(own) && { networkUnknown, networkSimilar }),
      mailId: view.mailId,
    },
  });
}
