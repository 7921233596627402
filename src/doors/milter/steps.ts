import { SMFIC, SMFIP } from "./constants.ts";

/**
 * The steps of a session that have an answer: by which command each comes, which bits turn it or its reply off, and
 * after what it may come. Tables and pure functions.
 */
export const STEPS = {
  connect: { command: SMFIC.CONNECT, off: SMFIP.NOCONNECT, silent: SMFIP.NR_CONN },
  helo: { command: SMFIC.HELO, off: SMFIP.NOHELO, silent: SMFIP.NR_HELO },
  mail: { command: SMFIC.MAIL, off: SMFIP.NOMAIL, silent: SMFIP.NR_MAIL },
  rcpt: { command: SMFIC.RCPT, off: SMFIP.NORCPT, silent: SMFIP.NR_RCPT },
  data: { command: SMFIC.DATA, off: SMFIP.NODATA, silent: SMFIP.NR_DATA },
  header: { command: SMFIC.HEADER, off: SMFIP.NOHDRS, silent: SMFIP.NR_HDR },
  endOfHeaders: { command: SMFIC.EOH, off: SMFIP.NOEOH, silent: SMFIP.NR_EOH },
  body: { command: SMFIC.BODY, off: SMFIP.NOBODY, silent: SMFIP.NR_BODY },
  endOfMessage: { command: SMFIC.BODYEOB, off: 0, silent: 0 },
  unknown: { command: SMFIC.UNKNOWN, off: SMFIP.NOUNKNOWN, silent: SMFIP.NR_UNKN },
} as const;

export type Step = keyof typeof STEPS;

/** Steps a filter may choose to answer, only to hear of, or not to see at all. */
export type ChosenStep = Exclude<Step, "endOfMessage">;

const STEP_OF = new Map<number, Step>(Object.entries(STEPS).map(([step, { command }]) => [command, step as Step]));

/** undefined: a command without an answer, or none at all. */
export const stepOf = (command: number): Step | undefined => STEP_OF.get(command);

/** How far a session has come. `mail` and beyond: a mail is in progress. */
export const PLACE = { start: 0, session: 1, mail: 2, rcpt: 3, data: 4, header: 5, endOfHeaders: 6, body: 7 } as const;
export type Place = (typeof PLACE)[keyof typeof PLACE];

interface Rule {
  /** What must have come before, unless it is turned off; then what must have come before that. */
  readonly after: Place;
  readonly before: Place;
  /** Where the session stands afterwards; undefined: where it stood. */
  readonly leads?: Place;
}

const ANYWHERE = PLACE.body;

/** HELO and MAIL may come at any time and put an end to a mail in progress; without DATA (version 2) headers follow RCPT. */
const RULES: Readonly<Record<Step, Rule>> = {
  connect: { after: PLACE.start, before: PLACE.start, leads: PLACE.session },
  helo: { after: PLACE.session, before: ANYWHERE, leads: PLACE.session },
  mail: { after: PLACE.session, before: ANYWHERE, leads: PLACE.mail },
  rcpt: { after: PLACE.mail, before: PLACE.rcpt, leads: PLACE.rcpt },
  data: { after: PLACE.rcpt, before: PLACE.rcpt, leads: PLACE.data },
  header: { after: PLACE.rcpt, before: PLACE.header, leads: PLACE.header },
  endOfHeaders: { after: PLACE.rcpt, before: PLACE.header, leads: PLACE.endOfHeaders },
  body: { after: PLACE.endOfHeaders, before: PLACE.body, leads: PLACE.body },
  endOfMessage: { after: PLACE.endOfHeaders, before: PLACE.body, leads: PLACE.session },
  unknown: { after: PLACE.start, before: ANYWHERE },
};

const BEFORE: Readonly<Partial<Record<Place, { off: number; earlier: Place }>>> = {
  [PLACE.session]: { off: SMFIP.NOCONNECT, earlier: PLACE.start },
  [PLACE.mail]: { off: SMFIP.NOMAIL, earlier: PLACE.session },
  [PLACE.rcpt]: { off: SMFIP.NORCPT, earlier: PLACE.mail },
  [PLACE.endOfHeaders]: { off: SMFIP.NOEOH, earlier: PLACE.rcpt },
};

/** Not about a mail. */
export const ofSession = (step: Step): boolean => step === "connect" || step === "helo" || step === "unknown";

export interface Sequence {
  readonly start: Place;
  /** May this step come here? */
  allows(step: Step, place: Place): boolean;
  /** Where the session stands after it. */
  after(step: Step, place: Place): Place;
}

/** @param stepBits what was agreed: steps turned off are not waited for */
export function createSequence(stepBits: number): Sequence {
  const earliest = (place: Place): Place => {
    const before = BEFORE[place];
    return before && stepBits & before.off ? earliest(before.earlier) : place;
  };
  const first = Object.fromEntries(Object.entries(RULES).map(([step, rule]) => [step, earliest(rule.after)]));
  return {
    start: stepBits & SMFIP.NOCONNECT ? PLACE.session : PLACE.start,
    allows: (step, place) => place >= (first[step] ?? PLACE.start) && place <= RULES[step].before,
    after: (step, place) => RULES[step].leads ?? place,
  };
}
