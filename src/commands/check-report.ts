/** What a rehearsed mail met, in words and as JSON. */

import type { Heard, Outcome, Report, StageReport } from "../doors/check/rehearsal.ts";
import { articleOf } from "../doors/spoken.ts";
import { packName } from "../law/pack.ts";
import { REPLIES, replyText } from "../mail/replies.ts";
import type { Recipient, Sender, Session } from "../mail/views.ts";
import type { Spoken } from "../pipeline/verdict.ts";
import { factsOf } from "./entry-line.ts";

export interface About {
  readonly session: Session;
  readonly sender: Sender;
  readonly mendedLines: number;
  readonly nextHop: string;
}

export function reportLines(report: Report, about: About): string[] {
  return [
    ...introduction(about),
    ...report.stages.flatMap(stageLines),
    "",
    "verdict",
    ...report.outcomes.map((outcome) => `  ${outcome.recipient.address.text}: ${outcomeText(outcome, report)}`),
    "",
    "the client would hear",
    ...report.heard.map((heard) => `  ${afterText(heard)}: ${replyText(heard.reply)}`),
    ...acceptedLines(report, about),
  ];
}

function introduction({ session, sender, mendedLines }: About): string[] {
  const { clientIp, client, login, inRelayNetworks, helo, role } = session;
  const who = client
    ? `client ${client.id} (${client.kind}, ${login === undefined ? "by its network" : "logged in"})`
    : inRelayNetworks
      ? "a host of relayNetworks"
      : "a stranger";
  const door = role === "submission" ? "the submission door" : "the smtp door";
  const mended = `note: ${mendedLines} lines end in LF alone and are read as if in CRLF; sent like that, they are refused`;
  return [
    `from <${sender.address?.text ?? ""}> by ${clientIp}, ${who}, at ${door}${helo === undefined ? "" : `, helo ${helo}`}`,
    ...(mendedLines > 0 ? [mended] : []),
  ];
}

function stageLines({ stage, recipient, verdict }: StageReport): string[] {
  if (verdict.spoken.length === 0) return [];
  const head = recipient ? `${stage} ${recipient.address.text}` : stage;
  return ["", head, ...verdict.spoken.map((spoken) => `  ${findingText(spoken)}`)];
}

function findingText(spoken: Spoken): string {
  const { rule, finding, mode } = spoken;
  const { kind } = finding;
  const kindText = `${kind}${mode === "watch" ? " (watched)" : ""}`.padEnd(16);
  const seen = finding.evidence && factsOf(finding.evidence);
  if (kind === "pass") return `${kindText} ${rule.id}${seen ? `: ${seen}` : ""}`;
  if (kind === "skip") return `${kindText} ${rule.id}: ${finding.reason}${seen ? ` | ${seen}` : ""}`;
  const source = finding.source ?? rule.sources[0];
  const parts = [
    saying(finding),
    `${source.cite} (${source.confidence})`,
    finding.packs && finding.packs.length > 0 ? finding.packs.map(packName).join(" ") : undefined,
    seen,
    finding.recipients && `for ${namesOf(finding.recipients)}`,
  ];
  return `${kindText} ${rule.id}: ${parts.filter((part) => part !== undefined && part !== "").join(" | ")}`;
}

/** What a finding says: its reason, or what the reply would say was wrong. */
const saying = (finding: Spoken["finding"]): string | undefined =>
  "reason" in finding ? finding.reason : "reply" in finding ? REPLIES[finding.reply].wrong : undefined;

const namesOf = (recipients: readonly Recipient[]): string => recipients.map(({ address }) => address.text).join(", ");

function outcomeText({ recipient, decision, accepted }: Outcome, { heard }: Report): string {
  if (decision.kind !== "accept") {
    const { rule, finding } = decision.by;
    const { confidence } = finding.source ?? rule.sources[0];
    return `${decision.kind} by ${rule.id}, ${articleOf(decision.by)} (${confidence})`;
  }
  if (accepted) return "accept";
  const own = heard.find((each) => each.recipient === recipient && each.reply.code >= 400);
  const end = heard.at(-1);
  return (own ?? (end && end.after !== "DATA"))
    ? "not accepted: see the reply"
    : "accept, but the mail is not taken as it is: see the reply to DATA";
}

const afterText = ({ after, recipient }: Heard): string =>
  after === "RCPT" && recipient ? `RCPT TO:<${recipient.address.text}>` : after;

/** What every reply that says no says would do; and who has the last word on a yes. */
function acceptedLines({ heard, outcomes }: Report, { nextHop }: About): string[] {
  const lines = heard
    .filter(({ reply }) => reply.code >= 400)
    .flatMap(({ reply }) => reply.lines.filter((line) => line.startsWith(ACCEPTED)))
    .map((line) => `  ${line.slice(ACCEPTED.length)}`);
  if (outcomes.every(({ accepted }) => accepted)) return ["", `accepted for all; ${nextHop} would have the last word`];
  return ["", "would be accepted", ...new Set(lines)];
}

const ACCEPTED = "accepted: ";

/** The same as one document. */
export function reportJson(report: Report, { session, sender, mendedLines }: About) {
  const { clientIp, role, helo, login, client } = session;
  return {
    accepted: report.outcomes.every(({ accepted }) => accepted),
    sender: sender.address?.text ?? "",
    session: { clientIp, role, helo, login, client: client?.id, inRelayNetworks: session.inRelayNetworks },
    mendedLines,
    stages: report.stages.map(({ stage, recipient, verdict }) => ({
      stage,
      recipient: recipient?.address.text,
      findings: verdict.spoken.map(findingJson),
    })),
    recipients: report.outcomes.map(({ recipient, decision, accepted }) => ({
      recipient: recipient.address.text,
      accepted,
      verdict: decision.kind,
      rule: decision.kind === "accept" ? undefined : decision.by.rule.id,
      article: decision.kind === "accept" ? undefined : articleOf(decision.by),
    })),
    replies: report.heard.map(({ after, recipient, reply }) => ({
      after,
      recipient: recipient?.address.text,
      ...reply,
    })),
  };
}

function findingJson({ rule, finding, mode }: Spoken) {
  const { kind, evidence, recipients, packs } = finding;
  return {
    rule: rule.id,
    kind,
    mode,
    says: saying(finding),
    source: finding.source ?? rule.sources[0],
    packs: packs?.map(packName),
    evidence,
    recipients: recipients?.map(({ address }) => address.text),
  };
}
