/**
 * The one path every door shares: ask the pipeline, hand over, write the ledger, only then reply. A door translates its
 * protocol into these calls and the replies back into its protocol; it decides nothing, so no door has a weaker path.
 *
 * A connection is a `Reception`, a mail in it a `Transaction` (transaction.ts), its end is in conclude.ts.
 */
import type { NextHop } from "../delivery/next-hop.ts";
import type { Reply } from "../mail/replies.ts";
import type { Sender, Session } from "../mail/views.ts";
import type { Pipeline } from "../pipeline/pipeline.ts";
import { createVerdict, joinVerdicts, type Verdict } from "../pipeline/verdict.ts";
import type { IntakeParts } from "./course.ts";
import { judgementEntry } from "./entries.ts";
import { recorded } from "./recorded.ts";
import { spokenReply, withoutCustody } from "./spoken.ts";
import { createTransaction, type Transaction } from "./transaction.ts";

/** One connection, as the rules see it. Doors call `update` when they learn more (HELO, login, TLS, XCLIENT). */
export interface Reception {
  readonly session: Session;
  /** @param now all that is known, whole: what it leaves out (a login undone by XCLIENT or STARTTLS) is no longer so */
  update(now: Session): void;
  /** Judges the connection. @returns a refusal, or undefined to go on */
  connect(): Promise<Reply | undefined>;
  /** Begins a mail. @returns it, or the refusal */
  mail(sender: Sender): Promise<Transaction | Reply>;
}

export interface Intake {
  /**
   * @param nextHop where this door's mail goes, when not to the one that the configuration names
   * @param passedAs the id of a mail that this site has just judged and that comes back on its way: no rule looks again, and
   * what is written down goes on under that id
   */
  open(session: Session, nextHop?: NextHop, passedAs?: string): Reception;
}

export const isReply = (answer: Transaction | Reply): answer is Reply => "code" in answer;

export function createIntake(parts: IntakeParts): Intake {
  return {
    open: (session, nextHop, passedAs) =>
      createReception(passedAs === undefined ? parts : alreadyJudged(parts, passedAs), session, nextHop),
  };
}

const NO_RULES: Pipeline = { has: () => false, run: async () => createVerdict([]) };

const alreadyJudged = (parts: IntakeParts, id: string): IntakeParts => ({
  ...parts,
  pipeline: NO_RULES,
  ids: { ...parts.ids, sealed: () => id },
});

function createReception(parts: IntakeParts, first: Session, own: NextHop | undefined): Reception {
  let session = first;
  /** What was said of the connection and of its HELO: judged once for each client and name, when the first mail follows. */
  let connected: Verdict[] = [];
  let greeted: { readonly who: string; readonly verdict: Verdict } | undefined;

  const refusal = async (rules: Verdict, mailId: string, sender?: Sender): Promise<Reply | undefined> => {
    const decision = rules.for();
    if (decision.kind === "accept" || decision.kind === "hold") return undefined;
    const reply = spokenReply(decision, mailId, parts.explainAt);
    const subject = { session, mailId, ...(sender && { sender }) };
    const result = { verdict: withoutCustody(decision), rules, reply };
    return recorded(parts, [judgementEntry(subject, result, parts.isLocal)], reply);
  };

  return {
    get session() {
      return session;
    },
    update(now) {
      session = now;
    },
    async connect() {
      connected = [await parts.pipeline.run("connect", { session })];
      return refusal(joinVerdicts(connected), parts.ids.sealed());
    },
    async mail(sender) {
      const mailId = parts.ids.sealed();
      const nextHop = own ?? parts.nextHop;
      const full = nextHop.full?.();
      if (full) {
        const entry = judgementEntry({ session, mailId, sender }, { verdict: "defer", reply: full }, parts.isLocal);
        return recorded(parts, [entry], full);
      }
      const who = [session.helo, session.clientIp, session.client?.id].join(" ");
      if (greeted?.who !== who) {
        const verdict = await parts.pipeline.run("helo", { session });
        const refused = await refusal(verdict, mailId, sender);
        if (refused) return refused;
        greeted = { who, verdict };
      }
      const view = { session, mailId, sender };
      const verdict = joinVerdicts([...connected, greeted.verdict, await parts.pipeline.run("mail", view)]);
      const refused = await refusal(verdict, mailId, sender);
      if (refused) parts.conduct?.ended(view, 0);
      return refused ?? createTransaction(parts, view, { nextHop, verdict });
    },
  };
}
