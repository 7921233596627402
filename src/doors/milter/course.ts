import type { Answer } from "./handler.ts";
import { createSequence, ofSession, PLACE, type Place, type Sequence, type Step } from "./steps.ts";

/** Each is told to the log, and thousands come in one piece: an MTA that is so far out of step has to begin anew. */
const DISORDERS_MAX = 200;

/**
 * Where one SMTP session stands, and which answer, if any, already stands for the steps to come: a refusal decided where
 * no answer was due, or the 451 after a fault.
 */
export class Course {
  #disorders = 0;
  readonly #sequence: Sequence;
  #place: Place;
  #sessionHold: Answer | undefined;
  #mailHold: Answer | undefined;
  /** The handler was told of a mail and has not decided about it. */
  #inMail = false;
  /** The handler wants no more of this body. */
  skipBody = false;

  /** @param stepBits what was agreed with the MTA */
  constructor(stepBits: number) {
    this.#sequence = createSequence(stepBits);
    this.#place = this.#sequence.start;
  }

  allows(step: Step): boolean {
    return this.#sequence.allows(step, this.#place);
  }

  enter(step: Step): void {
    this.#place = this.#sequence.after(step, this.#place);
  }

  /** The MTA has a mail in progress. */
  get mailOpen(): boolean {
    return this.#place >= PLACE.mail;
  }

  /** Headers or body are on their way: the MTA waits longer. */
  get inContent(): boolean {
    return this.#place >= PLACE.header;
  }

  /** The handler is about to hear of a step. */
  tell(): void {
    if (this.mailOpen) this.#inMail = true;
  }

  held(step: Step): Answer | undefined {
    return this.#sessionHold ?? (ofSession(step) ? undefined : this.#mailHold);
  }

  holdSession(answer: Answer): void {
    this.#sessionHold = answer;
  }

  /** The handler has decided about the mail where the MTA was not waiting for it. */
  holdMail(answer: Answer): void {
    this.#inMail = false;
    this.#mailHold = answer;
  }

  /** No mail any more. @returns whether the handler had one it has not decided about */
  endMail(): boolean {
    const undecided = this.#inMail;
    this.#inMail = false;
    this.#mailHold = undefined;
    this.skipBody = false;
    if (this.mailOpen) this.#place = PLACE.session;
    return undecided;
  }

  /** From here on every step of this mail, if one is open, is answered so. @returns as `endMail` */
  refuseRest(answer: Answer): boolean {
    const place = this.#place;
    const undecided = this.endMail();
    this.#place = place;
    if (this.mailOpen) this.#mailHold = answer;
    return undecided;
  }

  /** One more command out of order. @returns whether this session has had enough of them */
  disorder(): boolean {
    this.#disorders += 1;
    return this.#disorders > DISORDERS_MAX;
  }
}
