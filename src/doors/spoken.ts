import type { Log } from "../kit/log.ts";
import { type Dependency, Unavailable } from "../kit/trouble.ts";
import { type Reply, type ReplyId, writeReply } from "../mail/replies.ts";
import type { Decision, Spoken } from "../pipeline/verdict.ts";

export type Refusal = Exclude<Decision, { kind: "accept" }>;

/**
 * What a client hears of a decision: the law and what would be accepted; never evidence.
 * @param explainAt where the mail's id leads to what it meant
 */
export function spokenReply({ kind, by }: Refusal, mailId: string, explainAt: string | undefined): Reply {
  const { finding } = by;
  const id = "reply" in finding ? finding.reply : "local-trouble";
  const detail = "detail" in finding ? finding.detail : undefined;
  return writeReply(id, { mailId, explainAt, article: kind === "reject" ? articleOf(by) : undefined, detail });
}

/** The article a finding rests on: its own source, else the first of its rule. */
export const articleOf = ({ finding, rule }: Spoken): string => (finding.source ?? rule.sources[0]).cite;

/**
 * How a decision ends where nobody takes custody: a hold needs a spool to be kept in, so the sender's server keeps the mail
 * instead (451). Never an accept.
 */
export const withoutCustody = ({ kind }: Refusal): "defer" | "reject" => (kind === "reject" ? "reject" : "defer");

const AWAY: Record<Dependency, ReplyId> = {
  store: "store-away",
  ledger: "ledger-away",
  dns: "dns-away",
  "next-hop": "next-hop-away",
  disk: "disk-full",
  rule: "rule-trouble",
  scorer: "rule-trouble",
};

/** The world failed, or we did. Either way the client keeps the mail, and the operator is told which it was. */
export function troubleReply(error: unknown, log: Log): Reply {
  if (error instanceof Unavailable) {
    log.warn({ dependency: error.dependency, reason: error.message }, "put off");
    return writeReply(AWAY[error.dependency]);
  }
  log.error({ err: error }, "a bug: put off");
  return writeReply("local-trouble");
}
