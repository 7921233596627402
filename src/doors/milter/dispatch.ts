import type { EditBook } from "./edits.ts";
import type { Answer, MilterHandler } from "./handler.ts";
import type { Macros } from "./macros.ts";
import { headerValue, readConnect, readStrings } from "./payload.ts";
import type { Step } from "./steps.ts";

/** From a command and its payload to the call of the handler. Nothing is decided here. */

export type SoonAnswer = Answer | Promise<Answer>;

export interface CallContext {
  readonly handler: MilterHandler;
  readonly macros: Macros;
  /** SMFIP_HDR_LEADSPC was agreed. */
  readonly leadingSpace: boolean;
  /** The handler does not want this body (any more). */
  readonly skipBody: boolean;
  /** undefined: too late, the end of the mail has been answered without the handler. */
  readonly edits: () => EditBook | undefined;
}

/** undefined: the payload is malformed. */
export function handlerCall(step: Step, payload: Buffer, context: CallContext): (() => SoonAnswer) | undefined {
  const { handler, macros } = context;
  switch (step) {
    case "connect": {
      const info = readConnect(payload);
      return info && (() => handler.connect(info, macros));
    }
    case "helo":
    case "unknown": {
      const [text] = readStrings(payload) ?? [];
      return text === undefined ? undefined : () => handler[step](text, macros);
    }
    case "mail":
    case "rcpt": {
      const args = readStrings(payload);
      return args && (() => handler[step](args, macros));
    }
    case "header":
      return headerCall(payload, context);
    case "data":
    case "endOfHeaders":
      return () => handler[step](macros);
    case "body":
      return () => (context.skipBody ? "continue" : handler.body(payload, macros));
    case "endOfMessage":
      return () => lastCall(payload, context);
  }
}

function headerCall(payload: Buffer, { handler, macros, leadingSpace }: CallContext): (() => SoonAnswer) | undefined {
  const [name, value, more] = readStrings(payload, 0, "latin1") ?? [];
  if (name === undefined || value === undefined || more !== undefined) return undefined;
  return () => handler.header(name, headerValue(value, leadingSpace), macros);
}

/** An MTA may send the last piece of the body along with the end. */
function lastCall(rest: Buffer, { handler, macros, skipBody, edits }: CallContext): SoonAnswer {
  const finish = (answer: Answer): SoonAnswer => {
    const book = answer === "continue" || answer === "skip" ? edits() : undefined;
    return book ? handler.endOfMessage(book, macros) : answer;
  };
  if (rest.length === 0 || skipBody) return finish("continue");
  const last = handler.body(rest, macros);
  return last instanceof Promise ? last.then(finish) : finish(last);
}
