/**
 * Whether a mail reads like advertising: the model's word, what was taught, how many copies there were and who reported
 * them, put together once for each mail however many rules ask. It decides nothing: rules/advertising/detect.ts does.
 */
import { networkOf } from "../kit/ip.ts";
import { Unavailable } from "../kit/trouble.ts";
import type { DetectedConsequence, Pack } from "../law/pack.ts";
import type { Content } from "../mail/content.ts";
import { startOfContent } from "../mail/content-start.ts";
import { TEXT_LIMITS } from "../mail/text.ts";
import type { BodyView } from "../mail/views.ts";
import { type BulkCounter, type Copies, NOT_COUNTED } from "./bulk.ts";
import { type Judgement, judge } from "./classifier.ts";
import { signsOf } from "./declared.ts";
import { evidenceOf } from "./evidence.ts";
import { fingerprintOf } from "./fingerprint.ts";
import type { Model } from "./model.ts";
import { readMail } from "./read.ts";
import type { Taught, Teachings } from "./teachings.ts";

export interface Detected {
  /** How surely it advertises, 0 to 1. */
  readonly score: number;
  /** How surely it is advertising, fraud or other spam, 0 to 1, by its words alone. */
  readonly unwanted: number;
  readonly copies: Copies;
  /** Different people who reported this text. */
  readonly reporters: number;
  /** What speaks for it, in words that tell nothing of the text itself. Put together when asked for. */
  evidence(): readonly string[];
}

export interface Detector {
  /** Once for each mail: whoever asks again gets the same answer. Never fails for what the store does. */
  detect(view: BodyView): Promise<Detected>;
}

/** Bits by which addresses usually belong to one holder. */
const NETWORK_BITS = { v4: 24, v6: 48 };

/** The detector, and what the operator lets follow from it. */
export interface Detection extends Detector {
  /**
   * What follows for this pack when mail reads like advertising and does not say so.
   *
   * @param own from a client or a host of relayNetworks
   */
  consequence(pack: Pack, own: boolean, client?: string): DetectedConsequence;
  /** From which score it does follow, 0 to 1. */
  readonly actFrom: number;
  /** Look at every mail, also where nothing follows: for whoever only wants to know. */
  readonly always: boolean;
}

export interface DetectorParts {
  readonly model: Model;
  readonly teachings?: Teachings;
  /** Absent: nobody counts. */
  readonly bulk?: BulkCounter;
  /** Distinct recipients from which a text counts as sent in bulk. */
  readonly copiesMin: number;
}

export function createDetector(parts: DetectorParts): Detector {
  const known = new WeakMap<Content, Promise<Detected>>();
  return {
    detect(view) {
      const before = known.get(view.content);
      if (before) return before;
      const detected = detect(view, parts);
      known.set(view.content, detected);
      return detected;
    },
  };
}

async function detect(view: BodyView, parts: DetectorParts): Promise<Detected> {
  const bytes = await startOfContent(view.content, TEXT_LIMITS.mailBytesMax);
  const taught = await parts.teachings?.current();
  const own = view.recipients.map(({ address }) => address.local);
  const mail = readMail(view.headers, bytes, own);
  const judged = judge(mail, parts.model, taught?.learned);
  const keys = fingerprintOf(judged.words);
  const copies = await count(view, keys, parts.bulk);
  const reporters = taught?.reportersOf(keys) ?? 0;
  const score = weigh(judged, { copies, reporters, copiesMin: parts.copiesMin });
  const evidence = (): string[] => [
    ...copiesInWords(copies, parts.copiesMin),
    ...reportsInWords(reporters, judged, taught),
    ...evidenceOf({ text: mail.text, words: judged.words, signs: signsOf(view, []) }),
  ];
  return { score, unwanted: judged.unwanted, copies, reporters, evidence };
}

/** A store that is away counts nothing; the words are still judged. */
async function count(view: BodyView, keys: readonly string[], bulk: BulkCounter | undefined): Promise<Copies> {
  if (!bulk) return NOT_COUNTED;
  try {
    return await bulk.see({
      keys,
      recipients: view.recipients.map(({ address }) => address.key),
      sender: view.sender.address?.key ?? "<>",
      network: networkOf(view.session.clientIp, NETWORK_BITS),
    });
  } catch (error) {
    if (error instanceof Unavailable) return NOT_COUNTED;
    throw error;
  }
}

/** What copies and reports add to the logit of the words: they tip what is in doubt and make nothing of nothing. */
const WEIGHTS = Object.freeze({
  bulk: 1,
  /** The same text from many senders in many networks. */
  scattered: 1,
  reporter: 0.7,
  reportersMax: 5,
});
const SENDERS_MIN = 10;
const NETWORKS_MIN = 5;
/** The words never say more than this, either way. */
const LOGIT_MAX = 7;

const isScattered = ({ senders, networks }: Copies): boolean => senders >= SENDERS_MIN && networks >= NETWORKS_MIN;

function weigh(
  { advertising }: Judgement,
  { copies, reporters, copiesMin }: { copies: Copies; reporters: number; copiesMin: number },
): number {
  const logit = Math.max(-LOGIT_MAX, Math.min(LOGIT_MAX, Math.log(advertising / (1 - advertising))));
  const inBulk = copies.recipients >= copiesMin;
  const more =
    (inBulk ? WEIGHTS.bulk : 0) +
    (inBulk && isScattered(copies) ? WEIGHTS.scattered : 0) +
    WEIGHTS.reporter * Math.min(WEIGHTS.reportersMax, reporters);
  return 1 / (1 + Math.exp(-(logit + more)));
}

/** From so many copies on it is worth a word; from `copiesMin` on it counts. */
const COPIES_TOLD_MIN = 5;

function copiesInWords(copies: Copies, copiesMin: number): string[] {
  if (copies.recipients < Math.min(COPIES_TOLD_MIN, copiesMin)) return [];
  const from = isScattered(copies) ? ` from ${copies.senders} senders in ${copies.networks} networks` : "";
  return [`same text to ${copies.recipients} recipients${from}`];
}

/** Logits below this are no news. */
const LEARNED_TOLD_MIN = 0.5;

function reportsInWords(reporters: number, { learned }: Judgement, taught: Taught | undefined): string[] {
  const found: string[] = [];
  if (reporters > 0) found.push(`reported by ${reporters} ${reporters === 1 ? "recipient" : "recipients"}`);
  if (taught && learned > LEARNED_TOLD_MIN) found.push("like what was taught as advertising");
  if (taught && learned < -LEARNED_TOLD_MIN) found.push("like what was taught as ordinary mail");
  return found;
}
