import type { z } from "zod";
import type { Clock } from "../kit/clock.ts";
import type { NameService } from "../kit/names.ts";
import type { Key } from "../kit/store.ts";
import type { Pack } from "../law/pack.ts";
import type { Source } from "../law/source.ts";
import type { HeaderEdit } from "../mail/edits.ts";
import type { ReplyId } from "../mail/replies.ts";
import type { Recipient, Reliance, Session, Stage, Views } from "../mail/views.ts";
import type { CodeReader } from "../registers/codes.ts";
import type { ConsentQuotas } from "../registers/consent-quotas.ts";
import type { ConsentReader } from "../registers/consents.ts";
import type { ConductReader } from "../signals/conduct.ts";
import type { Detection } from "../signals/detector.ts";
import type { ListReader } from "../signals/lists.ts";
import type { Scorers } from "./content/scorers.ts";

/** Small facts for the ledger: what the rule saw. Never a subject or a body. */
export type Evidence = Readonly<Record<string, string | number | boolean>>;

interface Particulars {
  readonly evidence?: Evidence;
  /** Whom it concerns; absent: every recipient of the view. */
  readonly recipients?: readonly Recipient[];
  /** Packs in whose name it speaks; the strongest of their modes bounds what happens. */
  readonly packs?: readonly Pack[];
  /** Changes that go with the mail when it goes on and the finding acts. */
  readonly edits?: readonly HeaderEdit[];
  /** The requirement that was met or missed; absent: the rule's first source. */
  readonly source?: Source;
  /** What was taken for this mail; it goes back for every recipient who does not get it. */
  readonly claims?: readonly Claim[];
  /** Whose word a pass rests on: asked again at the handover, when a refusal can no longer come unnoticed. */
  readonly reliance?: Reliance;
}

/** One mail's share of one recipient's quota. */
export interface Claim {
  readonly recipient: Recipient;
  readonly key: Key;
}

interface Answer extends Particulars {
  readonly reply: ReplyId;
  /** What the client may know beyond the form: a limit, the labels that would do. ASCII. */
  readonly detail?: string;
}

/** What a rule says of a mail: a closed set. A rule answers as if enforcing; the operator's word is applied later. */
export type Finding =
  | ({ readonly kind: "pass" } & Particulars)
  | ({ readonly kind: "skip"; readonly reason: string } & Particulars)
  | ({ readonly kind: "note"; readonly reason: string } & Particulars)
  | ({ readonly kind: "hold"; readonly reason: string } & Answer)
  | ({ readonly kind: "defer" } & Answer)
  | ({ readonly kind: "reject" } & Answer);

/** Looked at, nothing to say. */
export const PASS: Finding = Object.freeze({ kind: "pass" });
/** Did not look, and why. */
export function skip(reason: string): Finding {
  const known = SKIPS.get(reason);
  if (known) return known;
  const made: Finding = Object.freeze({ kind: "skip", reason });
  if (SKIPS.size < SKIPS_MAX) SKIPS.set(reason, made);
  return made;
}
/** Most rules skip most mails, each in a few words: the same words are the same finding. */
const SKIPS = new Map<string, Finding>();
const SKIPS_MAX = 500;
/** Worth remembering, no more. */
export const note = (reason: string, about: Particulars = {}): Finding => ({ kind: "note", reason, ...about });
export const hold = (reason: string, about: Partial<Answer> = {}): Finding => ({
  reply: "held",
  ...about,
  kind: "hold",
  reason,
});
export const defer = (reply: ReplyId, about: Omit<Answer, "reply"> = {}): Finding => ({
  kind: "defer",
  reply,
  ...about,
});
export const reject = (reply: ReplyId, about: Omit<Answer, "reply"> = {}): Finding => ({
  kind: "reject",
  reply,
  ...about,
});

/** The site's own facts that rules may ask. */
export interface Site {
  readonly hostname: string;
  /** Is the domain one this site receives mail for? Lower case in. */
  isLocal(domain: string): boolean;
  /** Was this mail id, seen in a trace header, given out by this site? */
  isOurId(id: string): boolean;
  /** Will mail of this sender, with that domain in From, leave with a signature aligned with it? Absent: nothing is signed. */
  signs?(session: Session, author: string): boolean;
  /** The domain of ours that this client's mail leaves from, in the place of its own sender's; absent, or undefined from it: its own. */
  returnsTo?(session: Session): string | undefined;
}

/** What a rule is handed besides the view. It has no network, store, log or clock of its own. */
export interface Context<Options> {
  readonly options: Options;
  readonly clock: Clock;
  readonly site: Site;
  /** The packs whose law protects this recipient from this sender. */
  packsFor(recipient: Recipient, session: Session): readonly Pack[];
  /** The packs a client writes under before a recipient is known: its own, else the listener's, else the default ones. */
  packsUnder(session: Session): readonly Pack[];
  readonly consents: ConsentReader;
  /** How the client behaves, over all its mails. */
  readonly conduct: ConductReader;
  /** Lists for and against addresses. */
  readonly lists: ListReader;
  /** DNS; absent where the operator names no server. Ask `names.within(view.sender)`, so that one mail has one budget. */
  readonly names?: NameService;
  readonly quotas: ConsentQuotas;
  readonly codes: CodeReader;
  /** Whether a mail reads like advertising, looked at once for each mail and only when asked. */
  readonly detection: Detection;
  /** Programs that are asked only where the configuration names them. */
  readonly scorers: Scorers;
  /**
   * Where a recipient says no to this advertiser: values for List-Unsubscribe.
   * @param recipient undefined: the mail goes to several, and who writes is meant
   */
  refusalWay(advertiser: string, recipient: Recipient | undefined): RefusalWay;
}

/** Ways to refuse (RFC 2369, RFC 8058); none where the site has neither page nor address for it. */
export interface RefusalWay {
  /** One click will do. */
  readonly url?: string;
  readonly mailto?: string;
}

/** One finding, or several that concern different recipients. */
export type Said = Finding | readonly Finding[];

/** What a rule does at each stage it looks at. Each function sees the view of its own stage only. */
export type Looks<Options> = {
  readonly [S in Stage]?: (view: Views[S], context: Context<Options>) => Said | Promise<Said>;
};

/** One rule: who it is, its papers, and what it looks at. */
export interface Rule<Options = unknown> {
  /** Its path below rules/, without the ending: "relay/anonymous". */
  readonly id: string;
  /** One line, for lists. */
  readonly title: string;
  /** Two or three lines: what it protects against and what it does when it cannot know. */
  readonly why: string;
  readonly sources: readonly [Source, ...Source[]];
  /** Honest mail that it may catch, so that an operator can recognise it. */
  readonly falseAlarms: readonly string[];
  /** Every option with a default: `options.parse({})` must succeed. */
  readonly options: z.ZodType<Options>;
  readonly looks: Looks<Options>;
}

/** Declares a rule; the options' type flows from the schema into the functions, and nobody outside needs it. */
export const defineRule = <Options>(rule: Rule<Options>): Rule => Object.freeze(rule) as unknown as Rule;
