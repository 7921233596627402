import { isPositive, isTransient, type Reply } from "../../mail/replies.ts";
import type { Broken } from "../smtp/broken.ts";
import { relayed } from "../smtp/replies-in.ts";
import type { Fate } from "../smtp/transact.ts";
import { type AnswerClass, CLASSES, type Part } from "./classes.ts";
import { OWN_WORDS, type OwnWord } from "./own-words.ts";
import type { Attempt } from "./queued.ts";

/** What an attempt came to, without when and where. */
export type Meaning = Pick<Attempt, "kind" | "scope" | "reply"> & { readonly name: string };

/** What became of one recipient, in the words of the queue. */
export function meaningOf(fate: Fate): Meaning {
  if ("broken" in fate) return meaningOfTrouble(fate.broken);
  const { reply, step, isOurs } = fate;
  if (isOurs) return { name: "ours", kind: isTransient(reply) ? "later" : "failed", scope: "mail", reply };
  return meaningOfReply(reply, step);
}

/** @param step where it was said, as delivery/smtp names it */
export function meaningOfReply(reply: Reply, step: string): Meaning {
  if (isPositive(reply) && step === "end of the mail")
    return { name: "taken", kind: "delivered", scope: "mail", reply };
  if (reply.code < 400) return { name: "nonsense", kind: "later", scope: "destination", reply: OWN_WORDS.nonsense };
  const part = partOf(step);
  const row = classOf(reply, part) ?? byCode(reply, part);
  return { name: row.name, kind: row.kind, scope: row.scope, reply };
}

/** @returns the first row of the table that fits */
function classOf(reply: Reply, part: Part): AnswerClass | undefined {
  const code = String(reply.code);
  const text = reply.lines.join(" ");
  return CLASSES.find(
    ({ codes, enhanced, says, parts }) =>
      codes.test(code) &&
      (enhanced === undefined || enhanced.test(reply.enhanced)) &&
      (says === undefined || says.test(text)) &&
      (parts === undefined || parts.includes(part)),
  );
}

const SCOPES: Readonly<Record<Part, Attempt["scope"]>> = {
  hello: "destination",
  mail: "mail",
  rcpt: "recipient",
  content: "mail",
};

/** What no row knows: 4xx is tried again, 5xx is not; whom it concerns is what had been asked. */
function byCode(reply: Reply, part: Part): Omit<AnswerClass, "codes"> {
  const kind = isTransient(reply) ? "later" : "failed";
  // X.1.x and X.2.x are about a mailbox, also when a server (LMTP, or one that forwards at once) says it at the end.
  const aboutMailbox = /^[45]\.[12]\./.test(reply.enhanced) && part !== "mail" && part !== "hello";
  return { name: `${kind}-by-code`, kind, scope: aboutMailbox ? "recipient" : SCOPES[part] };
}

const PARTS: Readonly<Record<string, Part>> = {
  MAIL: "mail",
  RCPT: "rcpt",
  "MAIL and RCPT": "mail",
  DATA: "content",
  "sending the mail": "content",
  "reading the mail": "content",
  "end of the mail": "content",
};
const partOf = (step: string): Part => PARTS[step] ?? "hello";

/** From here on the server had seen something of the mail itself. */
const HAD_CONTENT: readonly string[] = ["sending the mail", "end of the mail"];

/** A talk that broke. What the server said for a farewell counts before how it ended. */
export function meaningOfTrouble(broken: Broken): Meaning {
  if (broken.said && broken.said.code >= 400) return meaningOfReply(relayed(broken.said), broken.step);
  const word = wordFor(broken);
  // A server that dies of one mail may be well for others.
  const scope = HAD_CONTENT.includes(broken.step) && word !== "nonsense" ? "mail" : "destination";
  return { name: word, kind: "later", scope: broken.how === "ours" ? "mail" : scope, reply: OWN_WORDS[word] };
}

function wordFor({ how, step }: Broken): OwnWord {
  switch (how) {
    case "timeout":
      return step === "connecting" ? "not-connected" : step === "TLS handshake" ? "tls-broken" : "silent";
    case "refused":
    case "unreachable":
      return "not-connected";
    case "closed":
      return step === "connecting" ? "not-connected" : "hung";
    case "tls":
      return step === "STARTTLS" ? "tls-missing" : "tls-broken";
    case "ours":
      return "busy";
    case "garbled":
    case "said":
      return "nonsense";
  }
}
