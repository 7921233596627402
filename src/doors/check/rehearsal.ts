/**
 * A mail walked through intake as a door would walk it, with nothing behind: the next hop takes everything, the ledger is
 * not written, and whatever the rules say on the way is kept. The path is intake's own, so it cannot differ from the real one.
 */
import type { NextHop } from "../../delivery/next-hop.ts";
import type { Content } from "../../mail/content.ts";
import { isPositive, type Reply, writeReply } from "../../mail/replies.ts";
import type { Recipient, Sender, Session, Stage } from "../../mail/views.ts";
import type { Pipeline } from "../../pipeline/pipeline.ts";
import { type Decision, joinVerdicts, scopedTo, type Verdict } from "../../pipeline/verdict.ts";
import type { IntakeParts } from "../course.ts";
import { createIntake, isReply } from "../intake.ts";
import type { Defect } from "../smtp/data-reader.ts";

export interface Rehearsal {
  readonly session: Session;
  readonly sender: Sender;
  readonly recipients: readonly Recipient[];
  readonly mail: Content | Defect;
  /** Bounds the SMTP door keeps before any rule looks. */
  readonly limits: { readonly mailBytesMax: number; readonly recipientsMax: number };
}

/** What one stage said; the recipient stage speaks once for each. */
export interface StageReport {
  readonly stage: Stage;
  readonly recipient?: Recipient;
  readonly verdict: Verdict;
}

/** What the client would have heard, and after which command. */
export interface Heard {
  readonly after: "connect" | "MAIL" | "RCPT" | "DATA";
  readonly recipient?: Recipient;
  readonly reply: Reply;
}

export interface Outcome {
  readonly recipient: Recipient;
  /** What the rules decide for this recipient alone. */
  readonly decision: Decision;
  /** Would it get the mail? A mail that is refused for others is refused for all. */
  readonly accepted: boolean;
}

export interface Report {
  readonly stages: readonly StageReport[];
  readonly heard: readonly Heard[];
  readonly outcomes: readonly Outcome[];
}

type Parts = Omit<IntakeParts, "recorder" | "nextHop" | "quotas">;

/** @throws Unavailable when what rules ask is away in a way that is no answer to the client */
export async function rehearse(parts: Parts, rehearsal: Rehearsal): Promise<Report> {
  const stages: StageReport[] = [];
  const intake = createIntake({
    ...parts,
    pipeline: observed(parts.pipeline, stages),
    recorder: { record: async () => {} },
    nextHop: TAKES_ALL,
    quotas: { giveBack: async () => {} },
  });
  const heard = await converse(intake.open(rehearsal.session), rehearsal);
  return { stages, heard, outcomes: rehearsal.recipients.map((recipient) => outcomeOf(recipient, stages, heard)) };
}

const observed = (pipeline: Pipeline, stages: StageReport[]): Pipeline => ({
  has: pipeline.has,
  async run(stage, view) {
    const verdict = await pipeline.run(stage, view);
    stages.push({ stage, verdict, ...("recipient" in view && { recipient: view.recipient }) });
    return verdict;
  },
});

async function converse(
  reception: ReturnType<ReturnType<typeof createIntake>["open"]>,
  { sender, recipients, mail, limits }: Rehearsal,
): Promise<Heard[]> {
  const refused = await reception.connect();
  if (refused) return [{ after: "connect", reply: refused }];
  if ((sender.sizeBytes ?? 0) > limits.mailBytesMax) {
    return [{ after: "MAIL", reply: writeReply("mail-too-large", { detail: `${limits.mailBytesMax} bytes` }) }];
  }
  const transaction = await reception.mail(sender);
  if (isReply(transaction)) return [{ after: "MAIL", reply: transaction }];
  const heard: Heard[] = [];
  for (const recipient of recipients) {
    const full = heard.filter(({ reply }) => isPositive(reply)).length >= limits.recipientsMax;
    const reply = full ? writeReply("too-many-recipients") : await transaction.rcpt(recipient);
    heard.push({ after: "RCPT", recipient, reply });
  }
  if (!heard.some(({ reply }) => isPositive(reply))) {
    transaction.abort();
    return heard;
  }
  const reply = await ("reply" in mail ? transaction.refuse(mail.reply, mail.detail) : transaction.data(mail));
  return [...heard, { after: "DATA", reply }];
}

function outcomeOf(recipient: Recipient, stages: readonly StageReport[], heard: readonly Heard[]): Outcome {
  const concerning = stages
    .filter((stage) => stage.recipient === undefined || stage.recipient === recipient)
    .map(({ stage, verdict }) => (stage === "rcpt" ? scopedTo(verdict, recipient) : verdict));
  const last = heard.at(-1);
  const named = heard.find((each) => each.recipient === recipient);
  const accepted = last?.after === "DATA" && isPositive(last.reply) && named !== undefined && isPositive(named.reply);
  return { recipient, decision: joinVerdicts(concerning).for(recipient), accepted };
}

const OK: Reply = { code: 250, enhanced: "2.0.0", lines: ["ok"] };

/** Reads the mail to its end, as a real one would, and keeps nothing. */
const TAKES_ALL: NextHop = {
  name: "nowhere",
  begin: () => {
    let taken = 0;
    return {
      async rcpt() {
        taken += 1;
        return OK;
      },
      async data(parcel, ready) {
        for await (const _ of parcel.read());
        await ready;
        return { replies: Array.from({ length: taken }, () => OK) };
      },
      abort: () => undefined,
    };
  },
  ping: async () => {},
  close: async () => {},
};
