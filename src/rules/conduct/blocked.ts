import { z } from "zod";
import { Unavailable } from "../../kit/trouble.ts";
import type { MailView } from "../../mail/views.ts";
import { type Block, isActive } from "../../signals/blocks.ts";
import { type Context, defineRule, type Finding, hold, PASS, reject, skip } from "../define.ts";

export const blocked = defineRule({
  id: "conduct/blocked",
  title: "Whoever is blocked sends nothing until his time is over",
  why: "A harvester, a hijacked login, or whom the operator has blocked. Looked up for the address, every network round it and\nthe client, a few seconds old at most. When the store does not answer nobody counts as blocked: other mail must go on.",
  sources: [
    { cite: "Order 38 (CN 2006) art. 12", confidence: "C3" },
    { cite: "Order 38 (CN 2006) art. 7", confidence: "C2" },
  ],
  falseAlarms: [
    "Many people behind one address: consentry block remove lets them off",
    "A server whose users keep an old list of addresses",
  ],
  options: z.strictObject({}),
  looks: {
    mail: (view, context) => look(view, context),
    // A block that was made in the middle of a session holds for its next recipient.
    rcpt: (view, context) => look(view, context),
  },
});

function look({ session }: MailView, { conduct, clock }: Context<unknown>): Finding | Promise<Finding> {
  const standing = conduct.standing(session);
  if (!(standing instanceof Promise)) return finding(standing.block, clock.now());
  return standing.then(
    ({ block }) => finding(block, clock.now()),
    (error: unknown) => {
      if (error instanceof Unavailable) return skip("the store does not answer");
      throw error;
    },
  );
}

function finding(block: Block | undefined, nowMs: number): Finding {
  if (!block || !isActive(block, nowMs)) return PASS;
  const { subject, reason, by, article, untilMs } = block;
  const until = `${new Date(untilMs).toISOString().slice(0, 19)}Z`;
  const about = {
    evidence: { blocked: subject, because: reason, by, until },
    source: { cite: article, confidence: "C3" as const },
    detail: until,
  };
  return block.action === "refuse"
    ? reject("blocked", about)
    : hold("the login is on hold", { ...about, reply: "login-held", detail: "ask the operator" });
}
