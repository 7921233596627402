import type { Duplex } from "node:stream";
import { SMFIC, SMFIP } from "./constants.ts";
import { Course } from "./course.ts";
import { handlerCall, type SoonAnswer } from "./dispatch.ts";
import { EditBook } from "./edits.ts";
import { encodeFrame, type Frame } from "./frames.ts";
import type { Answer, MilterFault, MilterHandler, NewHandler } from "./handler.ts";
import { Link } from "./link.ts";
import { createMacroBook } from "./macros.ts";
import { type Agreement, agree } from "./negotiate.ts";
import type { MilterSettings } from "./options.ts";
import { answerFrame, PROGRESS, TROUBLE } from "./replies.ts";
import { ofSession, STEPS, type Step, stepOf } from "./steps.ts";
import { answerWithin, LateAnswer } from "./wait.ts";

/**
 * The second floor of the milter door: one connection from an MTA, as a state machine. Below it are frames, above it a
 * handler that knows neither. It keeps the order of the steps, gathers macros, gives each answer where one is due, and
 * sees to it that after a fault, or a command out of order, nothing of that mail is accepted any more.
 */
export interface MilterConnection {
  /** No further mail: the one in progress may finish, then the connection ends; without one it ends now. */
  drain(): void;
  destroy(): void;
}

/** Serves one MTA on a fresh socket; from here on the socket is the connection's own. */
export function serveMilter(socket: Duplex, newHandler: NewHandler, settings: MilterSettings): MilterConnection {
  return new Connection(socket, newHandler, settings);
}

const NO_TERMS: Agreement = { version: 0, actionBits: 0, stepBits: 0, edits: new Set(), payload: Buffer.alloc(0) };

const decides = (answer: Answer): boolean => answer !== "continue" && answer !== "skip";
const accepts = (answer: Answer): boolean => answer === "continue" || answer === "accept";
const refuses = (answer: Answer): boolean => typeof answer !== "string" || answer === "reject" || answer === "tempfail";

class Connection implements MilterConnection {
  readonly #settings: MilterSettings;
  readonly #newHandler: NewHandler;
  readonly #link: Link;
  readonly #macros = createMacroBook();
  #terms: Agreement = NO_TERMS;
  #course = new Course(0);
  #handler: MilterHandler | undefined;
  #edits: EditBook | undefined;
  #running = false;
  #draining = false;

  constructor(socket: Duplex, newHandler: NewHandler, settings: MilterSettings) {
    this.#settings = settings;
    this.#newHandler = newHandler;
    this.#link = new Link(socket, settings, {
      frame: (frame) => this.#frame(frame),
      broken: (error) => this.#report("peer", "frames", error),
      gone: () => {
        if (!this.#running) this.#endSession();
      },
    });
  }

  drain(): void {
    this.#draining = true;
    this.#leaveIfDone();
  }

  destroy(): void {
    this.#link.destroy();
  }

  #frame({ command, payload }: Frame): void | Promise<void> {
    const step = stepOf(command);
    if (this.#terms === NO_TERMS) this.#negotiate(command, payload);
    else if (step) return this.#step(step, payload);
    else this.#aside(command, payload);
  }

  /** Commands that have no answer. */
  #aside(command: number, payload: Buffer): void {
    if (command === SMFIC.MACRO) {
      if (!this.#macros.define(payload)) this.#breakOff("macros", "malformed");
    } else if (command === SMFIC.ABORT) {
      this.#abandon();
      this.#macros.endMail();
      this.#leaveIfDone();
    } else if (command === SMFIC.QUIT) this.#link.end();
    else if (command === SMFIC.QUIT_NC) {
      this.#endSession();
      this.#begin();
      this.#leaveIfDone();
    } else this.#breakOff("commands", command === SMFIC.OPTNEG ? "a second negotiation" : "an unknown command");
  }

  #negotiate(command: number, payload: Buffer): void {
    const terms = command === SMFIC.OPTNEG ? agree(payload, this.#settings.wants) : undefined;
    if (!terms) {
      this.#breakOff("negotiation", "no offer of version 2 or later");
      return;
    }
    this.#terms = terms;
    this.#begin();
    this.#link.write([encodeFrame(SMFIC.OPTNEG, terms.payload)]);
  }

  /** A new SMTP session. */
  #begin(): void {
    const { version, edits, stepBits } = this.#terms;
    this.#course = new Course(stepBits);
    try {
      this.#handler = this.#newHandler({ version, edits });
    } catch (error) {
      this.#report("handler", "start", error);
      this.#link.destroy();
    }
  }

  #endSession(): void {
    this.#abandon();
    const handler = this.#handler;
    this.#handler = undefined;
    this.#macros.clear();
    if (handler) this.#tell("close", () => handler.close());
  }

  #step(step: Step, payload: Buffer): void | Promise<void> {
    this.#macros.enter(STEPS[step].command);
    if (step === "mail" || step === "helo") this.#abandon();
    const call = this.#call(step, payload);
    const inOrder = this.#course.allows(step);
    if (!call || (step === "connect" && !inOrder)) {
      this.#breakOff(step, call ? "connected twice" : "malformed");
      return;
    }
    if (!inOrder) {
      this.#outOfOrder(step);
      return;
    }
    this.#course.enter(step);
    const held = this.#course.held(step);
    const unheard = step !== "endOfMessage" && this.#settings.wants.steps[step] === "ignore";
    if (held || unheard) {
      this.#settle(step, held ?? "continue");
      return;
    }
    this.#course.tell();
    return this.#run(step, call);
  }

  #call(step: Step, payload: Buffer): (() => SoonAnswer) | undefined {
    if (!this.#handler) return undefined;
    return handlerCall(step, payload, {
      handler: this.#handler,
      macros: this.#macros,
      leadingSpace: this.#agreed(SMFIP.HDR_LEADSPC),
      skipBody: this.#course.skipBody || this.#settings.wants.steps.body === "ignore",
      edits: () => (this.#course.held(step) ? undefined : this.#openEdits()),
    });
  }

  #openEdits(): EditBook {
    const bounds = {
      allowed: this.#terms.edits,
      leadingSpace: this.#agreed(SMFIP.HDR_LEADSPC),
      bytesMax: this.#settings.editBytesMax,
    };
    this.#edits = new EditBook(bounds, () => this.#link.write([PROGRESS]));
    return this.#edits;
  }

  #run(step: Step, call: () => SoonAnswer): void | Promise<void> {
    let soon: SoonAnswer;
    try {
      soon = call();
    } catch (error) {
      soon = this.#fault(step, error);
    }
    if (soon instanceof Promise) return this.#wait(step, soon);
    this.#settle(step, soon);
  }

  async #wait(step: Step, soon: Promise<Answer>): Promise<void> {
    const { commandTimeoutMs, contentTimeoutMs, keepAliveMs } = this.#settings;
    const last = step === "endOfMessage";
    const limitMs = last || this.#course.inContent ? contentTimeoutMs : commandTimeoutMs;
    const tick = (): void => this.#edits?.progress();
    let answer: Answer;
    this.#running = true;
    try {
      answer = await answerWithin(soon, { limitMs, tickMs: last ? keepAliveMs : 0, tick });
    } catch (error) {
      answer = this.#fault(step, error);
    }
    this.#running = false;
    this.#settle(step, answer);
  }

  /** Gives an answer where one is due, and draws from it what follows for the mail. */
  #settle(step: Step, answer: Answer): void {
    if (this.#link.gone) {
      this.#endSession();
      return;
    }
    const due = this.#isDue(step);
    const [given, frame] = this.#asFrame(step, answer);
    if (due) this.#send(given, frame);
    if (given === "skip") this.#course.skipBody = true;
    if (step === "endOfMessage") this.#endMail();
    else if (decides(given)) this.#decided(step, given, due);
    if (given === "connection-fail" && due) this.#link.end();
    this.#leaveIfDone();
  }

  /** The frame of an answer; a fault where the answer cannot be given. */
  #asFrame(step: Step, answer: Answer): [Answer, Buffer] {
    try {
      const misplaced = answer === "skip" ? step !== "body" : answer === "discard" && ofSession(step);
      if (misplaced) throw new RangeError(`"${answer}" is no answer to ${step}`);
      return [answer, answerFrame(answer === "skip" && !this.#agreed(SMFIP.SKIP) ? "continue" : answer)];
    } catch (error) {
      return [this.#fault(step, error), answerFrame(TROUBLE)];
    }
  }

  /** Edits, if any, and answer in one write. */
  #send(answer: Answer, frame: Buffer): void {
    const edits = this.#edits?.close() ?? [];
    this.#link.write(accepts(answer) ? [...edits, frame] : [frame]);
  }

  /** A decision before the end of the mail. */
  #decided(step: Step, answer: Answer, due: boolean): void {
    if (answer === "shutdown" || (!due && ofSession(step))) this.#course.holdSession(answer);
    if (ofSession(step) || (step === "rcpt" && due && refuses(answer))) return;
    if (due) this.#endMail();
    else this.#course.holdMail(answer);
  }

  /** The mail is over, by the handler's decision. */
  #endMail(): void {
    this.#edits = undefined;
    this.#course.endMail();
    this.#macros.endMail();
  }

  /** The mail, if there is one, is given up by somebody else than the handler. */
  #abandon(): void {
    this.#dropMail(this.#course.endMail());
  }

  #dropMail(undecided: boolean): void {
    const handler = undecided ? this.#handler : undefined;
    if (handler) this.#tell("abort", () => handler.abort());
  }

  #fault(step: Step, error: unknown): Answer {
    this.#report("handler", step, error);
    this.#dropMail(this.#course.refuseRest(TROUBLE));
    // One that is still at it must not be called for anything else.
    if (ofSession(step) || error instanceof LateAnswer) this.#course.holdSession(TROUBLE);
    return TROUBLE;
  }

  #outOfOrder(step: Step): void {
    if (this.#course.disorder()) return this.#breakOff(step, "out of order again and again");
    this.#report("peer", step, new Error("out of order"));
    this.#dropMail(this.#course.refuseRest(TROUBLE));
    if (this.#isDue(step)) this.#link.write([answerFrame(TROUBLE)]);
    if (step === "endOfMessage") this.#endMail();
  }

  #agreed(bit: number): boolean {
    return (this.#terms.stepBits & bit) !== 0;
  }

  #isDue(step: Step): boolean {
    return !this.#agreed(STEPS[step].silent);
  }

  #breakOff(during: string, what: string): void {
    this.#report("peer", during, new Error(what));
    this.#link.end();
  }

  #leaveIfDone(): void {
    if (this.#draining && !this.#running && !this.#course.mailOpen) this.#link.end();
  }

  #tell(during: string, call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#report("handler", during, error);
    }
  }

  #report(kind: MilterFault["kind"], during: string, error: unknown): void {
    this.#settings.onFault({ kind, during, error });
  }
}
