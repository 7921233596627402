/**
 * The rules' way to the detector: who asks it, about which mail, and in the name of which packs. A mail that declares itself
 * was judged with its headers; one that no pack asks about is not read at all.
 */
import type { DetectedConsequence, Pack } from "../../law/pack.ts";
import { type BodyView, isOwn } from "../../mail/views.ts";
import { declaredAdvertising, signsOf } from "../../signals/declared.ts";
import type { Detected } from "../../signals/detector.ts";
import type { Context } from "../define.ts";
import { packsOf } from "../groups.ts";

/** Packs that ask for something an advertisement must have. */
export const asksForSomething = (pack: Pack): boolean => pack.label !== undefined || pack.consent !== undefined;

/** The packs of a mail's recipients for which this follows from detection; none when it declares itself. */
export function packsAsking(
  view: BodyView,
  { packsFor, detection }: Pick<Context<unknown>, "packsFor" | "detection">,
  follows: (consequence: DetectedConsequence) => boolean,
): readonly Pack[] {
  const packs = packsOf(view, { packsFor });
  const own = isOwn(view.session);
  const client = view.session.client?.id;
  const asking = packs.filter((pack) => asksForSomething(pack) && follows(detection.consequence(pack, own, client)));
  const asked = asking.length > 0 && declaredAdvertising(view, packs) === undefined && !returnsMail(view);
  return asked ? asking : [];
}

/** A delivery report or an automatic reply (null reverse-path, RFC 3464, 3834): it quotes what somebody else advertises. */
const returnsMail = (view: BodyView): boolean =>
  view.sender.address === null && signsOf(view, []).some((sign) => sign === "report" || sign === "reply");

/** Recipients protected by one of these packs alone. */
export const onlyPacks =
  (packs: readonly Pack[], packsFor: Context<unknown>["packsFor"]): Context<unknown>["packsFor"] =>
  (recipient, session) =>
    packsFor(recipient, session).filter((pack) => packs.includes(pack));

/** What the client hears besides: honest mail may read like advertising, and somebody can mend that. */
export const READS_LIKE_IT = "the mail reads like advertising; if it is none, write to the postmaster";

const EVIDENCE_CHARS_MAX = 240;

/** For the ledger: the score in two digits, and the words. */
export function detectedEvidence({ score, evidence }: Detected) {
  const words = evidence().join(", ");
  return {
    score: Math.round(score * 100) / 100,
    ...(words !== "" && {
      detected: words.length > EVIDENCE_CHARS_MAX ? `${words.slice(0, EVIDENCE_CHARS_MAX)}…` : words,
    }),
  };
}

/**
 * The detected mail, where label and consent are to be asked for as if it had declared itself; undefined: they are not.
 * At once and without reading the mail where no pack wants that.
 */
export function judgedAsDeclared(
  view: BodyView,
  context: Pick<Context<unknown>, "packsFor" | "detection">,
): undefined | Promise<{ readonly packs: readonly Pack[]; readonly detected: Detected } | undefined> {
  const packs = packsAsking(view, context, (consequence) => consequence === "apply");
  if (packs.length === 0) return undefined;
  const { detection } = context;
  return detection
    .detect(view)
    .then((detected) => (detected.score >= detection.actFrom ? { packs, detected } : undefined));
}
