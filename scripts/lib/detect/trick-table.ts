/** Each trick played on advertisements held out from training; what of them is still known. */
import { ADVERTISING_MIN } from "../../../src/signals/classifier.ts";
import { ADVERTISING } from "./corpus.ts";
import { foldsOf } from "./folds.ts";
import { modelOf, prepare, type Ready, scoresOf } from "./measure.ts";
import { isNoticed, playedOn, TRICKS, type Trick } from "./tricks.ts";

export interface TrickRow {
  readonly trick: Trick;
  /** Shares of the advertisements. */
  readonly known: number;
  readonly noticed: number;
}

const FOLDS = 4;
/** Shorter ones leave nothing to play tricks on. */
const CHARS_MIN = 80;

export function measureTricks(
  samples: readonly Ready[],
  groups: readonly number[],
): { count: number; rows: TrickRow[] } {
  const folds = foldsOf(samples, groups, { folds: FOLDS, seed: 3 });
  const model = modelOf(samples.filter((_, at) => folds[at] !== 0));
  const isKnown = (sample: Ready): boolean => scoresOf(model, sample).advertising >= ADVERTISING_MIN;
  const held = samples.filter((sample, at) => {
    const spam = sample.allowed === ADVERTISING || sample.label === "spam";
    return folds[at] === 0 && spam && sample.path !== undefined && sample.mail.text.text.length >= CHARS_MIN;
  });
  const plain = TRICKS[0];
  const ads = plain
    ? held.filter((sample) => prepare([{ ...sample, mail: playedOn(sample, plain) }]).every(isKnown))
    : [];
  const rows = TRICKS.map((trick) => {
    const played = prepare(ads.map((sample) => ({ ...sample, mail: playedOn(sample, trick) })));
    const share = (test: (sample: Ready) => boolean): number => played.filter(test).length / Math.max(1, played.length);
    return { trick, known: share(isKnown), noticed: share(({ mail }) => isNoticed(mail)) };
  });
  return { count: ads.length, rows };
}
