import type { Edits } from "../../src/doors/milter/edits.ts";
import type { Answer, MilterHandler } from "../../src/doors/milter/handler.ts";
import type { Macros } from "../../src/doors/milter/macros.ts";

/**
 * A handler that does what the mail itself asks for, so that a test with a real MTA (or miltertest) can provoke anything
 * from the client's side:
 *
 * - "stage-answer" in a host name, HELO, sender or recipient: `<data-reject@…>` as sender rejects at DATA, `rcpt-reply` in
 *   a recipient refuses this one; `crash` throws
 * - a header `X-Edit: verb|argument|argument` makes that edit at the end of the mail
 * - a header `X-Tell: macro` has the macro's value added as `X-Told`
 */
export interface DemoPlan {
  /** Answers given whatever the mail says, by stage. */
  readonly always?: Readonly<Record<string, Answer>>;
  /** Hears of each call. */
  readonly note?: (call: string) => void;
}

export const DEMO_REPLY = {
  code: 550,
  enhanced: "5.7.1",
  lines: ["this is not wanted here", "accepted: 100% of anything else"],
} as const;

const WORDS = ["accept", "reject", "tempfail", "discard", "skip", "shutdown", "connection-fail"] as const;

function wish(stage: string, text: string): Answer {
  const asked = new RegExp(`${stage}-(connection-fail|[a-z]+)`).exec(text)?.[1];
  if (asked === "crash") throw new Error("asked to");
  if (asked === "reply") return DEMO_REPLY;
  return WORDS.find((word) => word === asked) ?? "continue";
}

type Verb = (edits: Edits, args: readonly string[]) => void;

const VERBS: Readonly<Record<string, Verb>> = {
  add: (edits, [name = "", value = ""]) => edits.addHeader(name, value),
  insert: (edits, [index, name = "", value = ""]) => edits.insertHeader(Number(index), name, value),
  change: (edits, [index, name = "", value = ""]) => edits.changeHeader(Number(index), name, value),
  delete: (edits, [index, name = ""]) => edits.deleteHeader(Number(index), name),
  from: (edits, [address = "", params]) => edits.changeSender(address, params),
  "rcpt+": (edits, [address = "", params]) => edits.addRecipient(address, params),
  "rcpt-": (edits, [address = ""]) => edits.deleteRecipient(address),
  body: (edits, [text = "", times = "1"]) => edits.replaceBody(Buffer.from(`${text}\r\n`.repeat(Number(times)))),
  quarantine: (edits, [reason = ""]) => edits.quarantine(reason),
  progress: (edits) => edits.progress(),
};

export function demoHandler(plan: DemoPlan = {}): MilterHandler {
  let sender = "";
  let wanted: string[][] = [];
  let told: [string, string][] = [];
  const note = plan.note ?? (() => {});

  const decide = <T extends Answer>(stage: string, text: string): T => {
    note(`${stage} ${text}`.trim());
    return (plan.always?.[stage] ?? wish(stage, text)) as T;
  };
  const tell = (name: string, macros: Macros): void => {
    told.push([name, macros.get(name) ?? "(none)"]);
  };

  return {
    connect: ({ hostname, family, address, port }) => decide("connect", `${hostname} ${family} ${address} ${port > 0}`),
    helo: (name) => decide("helo", name),
    mail(args) {
      sender = args[0] ?? "";
      wanted = [];
      told = [];
      return decide("mail", args.join(" "));
    },
    rcpt: (args) => decide("rcpt", args.join(" ")),
    data: () => decide("data", sender),
    header(name, value, macros) {
      if (name === "X-Edit") wanted.push(value.trim().split("|"));
      if (name === "X-Tell") tell(value.trim(), macros);
      note(`field ${name}:${value}`);
      return decide("header", sender);
    },
    endOfHeaders: () => decide("eoh", sender),
    body(chunk) {
      note(`piece ${chunk.length}`);
      return decide("body", sender);
    },
    endOfMessage(edits) {
      for (const [verb = "", ...args] of wanted) VERBS[verb]?.(edits, args);
      for (const [name, value] of told) edits.addHeader("X-Told", `${name}=${value}`);
      return decide("eom", sender);
    },
    unknown: (command) => decide("unknown", command),
    abort: () => note("abort"),
    close: () => note("close"),
  };
}
