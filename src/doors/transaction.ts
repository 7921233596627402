/**
 * One mail on its way through a door: recipients one by one, then the content. In proxy mode the next hop is asked while
 * our client waits and its answer is our answer; we never have custody, so a crash at any point loses nothing.
 */
import type { NextHop } from "../delivery/next-hop.ts";
import type { Content } from "../mail/content.ts";
import { isPositive, type Reply, type ReplyId, writeReply } from "../mail/replies.ts";
import type { MailView, Recipient } from "../mail/views.ts";
import { scopedTo, type Verdict } from "../pipeline/verdict.ts";
import type { Answered } from "../signals/recipients.ts";
import { conclude } from "./conclude.ts";
import type { Course, IntakeParts, MailFacts } from "./course.ts";
import { judgementEntry, nextHopEntry } from "./entries.ts";
import { recorded, refuseAll } from "./recorded.ts";
import { spokenReply, troubleReply, withoutCustody } from "./spoken.ts";

export interface Transaction {
  readonly mailId: string;
  /**
   * Judges a recipient and asks the next hop. The reply is for the client as it stands.
   * @param refused is told of a refusal as soon as nothing remains but to write it down: the client hears it, or that it could not be
   * written, when `spoken` resolves, and no command that follows hangs on which of the two
   */
  rcpt(recipient: Recipient, refused?: (reply: Reply, spoken: Promise<Reply>) => void): Promise<Reply>;
  /** Judges the mail and hands it over. The reply is final: entries are written, custody is where the reply says. */
  data(content: Content, known?: MailFacts): Promise<Reply>;
  /** A mail the door itself had to refuse (too large, a bare LF): written down like every other refusal. */
  refuse(id: ReplyId, detail?: string, known?: MailFacts): Promise<Reply>;
  /** RSET, a lost connection, a new mail: nothing was accepted, nothing remains. */
  abort(): void;
}

/** Where a mail begins. */
export interface Start {
  readonly nextHop: NextHop;
  /** What connect, helo and mail stage said. */
  readonly verdict: Verdict;
}

export function createTransaction(parts: IntakeParts, view: MailView, start: Start): Transaction {
  const handover = start.nextHop.begin(view.session, view.sender, view.mailId);
  const course: Course = { parts, view, handover, verdicts: [start.verdict], recipients: [] };
  const { conduct } = parts;
  /** What the mail took of its client's quota is settled once, whichever way it ends. */
  let isOpen = true;
  const ended = (reply?: Reply): void => {
    if (isOpen) conduct?.ended(view, reply && isPositive(reply) ? course.recipients.length : 0);
    isOpen = false;
  };
  const settled = async (work: Promise<Reply>): Promise<Reply> => {
    let reply: Reply | undefined;
    try {
      reply = await work;
      return reply;
    } finally {
      ended(reply);
    }
  };
  return {
    mailId: view.mailId,
    async rcpt(recipient, refused) {
      let spoken: Promise<Reply> | undefined;
      const ask = async (): Promise<Answered> => {
        const found = await rcpt(course, recipient);
        spoken = found.spoken;
        return found;
      };
      const reply = conduct ? await conduct.rcpt(view, recipient, ask) : (await ask()).reply;
      if (spoken) refused?.(reply, spoken);
      return spoken ?? reply;
    },
    data: (content, known = {}) => settled(conclude(course, content, known)),
    refuse: (id, detail, known) => settled(refuseAll(course, writeReply(id, { mailId: view.mailId, detail }), known)),
    abort() {
      ended();
      handover.abort();
    },
  };
}

interface Judged extends Answered {
  /** Set for a refusal of our own: the reply, once its entry is on disk. */
  readonly spoken?: Promise<Reply>;
}

async function rcpt(course: Course, recipient: Recipient): Promise<Judged> {
  const { parts, view } = course;
  const stage = scopedTo(await parts.pipeline.run("rcpt", { ...view, recipient }), recipient);
  const decision = stage.for(recipient);
  const subject = { ...view, recipient };
  if (decision.kind === "reject" || decision.kind === "defer") {
    const reply = spokenReply(decision, view.mailId, parts.explainAt);
    const result = { verdict: withoutCustody(decision), rules: stage, reply };
    const spoken = recorded(parts, [judgementEntry(subject, result, parts.isLocal)], reply);
    return { reply, asked: false, spoken };
  }
  if (course.handover.answersEach && course.recipients.length > 0) {
    return { reply: writeReply("too-many-recipients", { mailId: view.mailId, detail: "one at a time" }), asked: false };
  }
  const reply = await course.handover.rcpt(recipient).catch((error: unknown) => troubleReply(error, parts.log));
  if (!isPositive(reply)) {
    return { reply: await recorded(parts, [nextHopEntry(subject, reply, parts)], reply), asked: true };
  }
  course.verdicts.push(stage);
  course.recipients.push(recipient);
  return { reply, asked: true };
}
