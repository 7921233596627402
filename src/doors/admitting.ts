/**
 * Intake behind a gate: while something is short, mail is put off before anything is done for it. A stranger's MAIL is answered, so that he
 * can say whom he writes to; only for postmaster it then goes on (RFC 5321 4.5.1).
 */
import type { Admission, Asking } from "../admission/admission.ts";
import type { Shortage } from "../admission/gauges.ts";
import { isPostmaster } from "../mail/postmaster.ts";
import { type Reply, writeReply } from "../mail/replies.ts";
import { isOwn, type Recipient, type Sender } from "../mail/views.ts";
import { type Intake, isReply, type Reception } from "./intake.ts";
import type { Transaction } from "./transaction.ts";

const reply = (shortage: Shortage, mailId?: string): Reply =>
  writeReply(shortage === "disk" ? "disk-full" : "overloaded", { mailId });

/** @param isLocal is this one of our domains */
export function admitting(intake: Intake, admission: Admission, isLocal: (domain: string) => boolean): Intake {
  return {
    open(session, nextHop, passedAs) {
      const reception = intake.open(session, nextHop, passedAs);
      // What this site has judged already comes back on its way: it is in our hands.
      return passedAs === undefined ? behind(reception, admission, isLocal) : reception;
    },
  };
}

function behind(reception: Reception, admission: Admission, isLocal: (domain: string) => boolean): Reception {
  return {
    get session() {
      return reception.session;
    },
    update: (now) => reception.update(now),
    async connect() {
      const shortage = admission.refuses("connection");
      return shortage ? writeReply("overloaded-now") : reception.connect();
    },
    async mail(sender) {
      if (admission.level === 0) return reception.mail(sender);
      const asking: Asking = isOwn(reception.session) ? "client" : "stranger";
      const shortage = admission.refuses(asking);
      if (!shortage) return reception.mail(sender);
      if (asking === "client" || admission.refuses("postmaster")) return reply(shortage);
      return onlyForPostmaster(reception, sender, { shortage, isLocal });
    },
  };
}

interface Gate {
  readonly shortage: Shortage;
  readonly isLocal: (domain: string) => boolean;
}

/** A mail that is not begun before somebody is named who must be heard. */
function onlyForPostmaster(reception: Reception, sender: Sender, { shortage, isLocal }: Gate): Transaction {
  let begun: Transaction | undefined;
  const nothingBegun = async (): Promise<Reply> => reply(shortage);
  return {
    get mailId() {
      return begun?.mailId ?? "";
    },
    async rcpt(recipient: Recipient) {
      if (!isPostmaster(recipient, isLocal)) return reply(shortage);
      if (!begun) {
        const answer = await reception.mail(sender);
        if (isReply(answer)) return answer;
        begun = answer;
      }
      return begun.rcpt(recipient);
    },
    data: (content, known) => begun?.data(content, known) ?? nothingBegun(),
    refuse: (id, detail, known) => begun?.refuse(id, detail, known) ?? nothingBegun(),
    abort: () => begun?.abort(),
  };
}
