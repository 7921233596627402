/**
 * The end of a mail: its content is in, it is judged as a whole, and handed over or refused. Order matters here and nowhere
 * else: the entry of an accepted mail is on disk before the next hop sees the final dot (a queue writes mail and entry at once, and
 * answers when both are there), and a refusal by the next hop is on disk before our client hears it.
 */
import { judgedBefore } from "../authenticity/judge.ts";
import { provesSender } from "../authenticity/sender.ts";
import type { Outcome, Parcel } from "../delivery/next-hop.ts";
import { parcelOf } from "../delivery/parcel.ts";
import type { Happening } from "../ledger/recorder.ts";
import type { Content } from "../mail/content.ts";
import type { HeaderEdit } from "../mail/edits.ts";
import { Headers } from "../mail/headers.ts";
import { receivedLine } from "../mail/received.ts";
import { isPositive, type Reply, writeReply } from "../mail/replies.ts";
import type { Recipient, Reliance } from "../mail/views.ts";
import { type Decision, editsFor, joinVerdicts, type Verdict } from "../pipeline/verdict.ts";
import { DECLARATIONS } from "../signals/declared.ts";
import { giveBack } from "./claims.ts";
import type { Course, MailFacts } from "./course.ts";
import { judgementEntry, nextHopEntry } from "./entries.ts";
import { recorded, refuseAll } from "./recorded.ts";
import { type Aloft, guarded, reliancesOf, takeOff } from "./reliances.ts";
import { type Sorted, sortOut } from "./sorting.ts";
import { articleOf, type Refusal, spokenReply, troubleReply } from "./spoken.ts";

/** Longest Message-ID written down, characters. */
const MESSAGE_ID_MAX = 250;
/** Judges the mail and hands it over or refuses it. The reply is final, and quotas taken for nothing are back before it. */
export async function conclude(course: Course, content: Content, known: MailFacts): Promise<Reply> {
  const served: Recipient[] = [];
  try {
    return await decide(course, content, { known, served });
  } finally {
    await giveBack(course, served);
  }
}

/** What `decide` is told, and tells. */
interface Ending {
  readonly known: MailFacts;
  /** Recipients for whom the next hop took the mail are put here. */
  readonly served: Recipient[];
}

async function decide(course: Course, content: Content, { known, served }: Ending): Promise<Reply> {
  const { parts, view } = course;
  const headers = Headers.parse(content.header);
  const facts = { ...known, sizeBytes: content.bytes, ...messageIdOf(headers) };
  if (headers.count("received") > parts.receivedMax) {
    return refuseAll(course, writeReply("mail-loop", { mailId: view.mailId }), facts);
  }
  course.verdicts.push(...(await judge(course, headers, content)));
  const rules = joinVerdicts(course.verdicts);
  const sorted = sortOut(course, rules);
  if (sorted.refusal) return refuseAll(course, sorted.refusal, facts);
  const judged = { headers, content, facts, rules, served, ...sorted };
  const reliances = reliancesOf(rules, sorted.taken);
  return reliances.length === 0 ? handOver(course, judged) : handOverAdvertising(course, judged, reliances);
}

/** Consents are asked for once more while refusals wait for this mail, so that none is acknowledged and overtaken. */
async function handOverAdvertising(course: Course, judged: Judged, reliances: readonly Reliance[]): Promise<Reply> {
  const { parts, view } = course;
  const { facts, headers, taken } = judged;
  let aloft: Aloft | undefined;
  try {
    aloft = await takeOff(parts, reliances, view.mailId);
    course.verdicts.push(await parts.pipeline.run("handover", { ...view, recipients: taken, headers, reliances }));
    const rules = joinVerdicts(course.verdicts);
    const sorted = sortOut(course, rules);
    if (sorted.refusal) return await refuseAll(course, sorted.refusal, facts);
    return await handOver(course, { ...judged, rules, ...sorted, aloft });
  } catch (error) {
    return await refuseAll(course, troubleReply(error, parts.log), facts);
  } finally {
    aloft?.end();
  }
}

/** The body is looked at only when the headers have not settled the matter for everybody. */
async function judge({ parts, view, recipients }: Course, headers: Headers, content: Content): Promise<Verdict[]> {
  const headerView = { ...view, recipients, headers };
  const header = await parts.pipeline.run("header", headerView);
  const settled = recipients.every((recipient) => header.for(recipient).kind === "reject");
  if (settled || !parts.pipeline.has("body")) return [header];
  return [header, await parts.pipeline.run("body", { ...headerView, content })];
}

interface Judged extends Sorted {
  readonly headers: Headers;
  readonly content: Content;
  readonly facts: MailFacts & { sizeBytes: number; messageId?: string };
  readonly rules: Verdict;
  readonly served: Recipient[];
  /** Set for mail that refusals wait for. */
  readonly aloft?: Aloft;
}

async function handOver(course: Course, judged: Judged): Promise<Reply> {
  const { parts, view, handover } = course;
  const { facts, taken, aloft } = judged;
  const subjects = taken.map((recipient) => ({ ...view, ...facts, recipient }));
  setAside(course, judged);
  const parcel = parcelFor(course, judged, await editsOf(course, judged));
  const written = parts.recorder.record(judgements(course, judged));
  let outcome: Outcome;
  try {
    outcome = aloft
      ? await handover.data(guarded(parcel, aloft), written.then(aloft.confirm))
      : await handover.data(parcel, written);
  } catch (error) {
    const reply = troubleReply(error, parts.log);
    return recorded(
      parts,
      subjects.map((subject) => nextHopEntry(subject, reply, parts)),
      reply,
    );
  }
  for (const [index, recipient] of taken.entries()) {
    if (isPositive(replyOf(outcome, index))) judged.served.push(recipient);
  }
  return settle(course, subjects, outcome);
}

function judgements({ parts, view }: Course, { facts, rules, taken, dropped }: Judged): Happening[] {
  const entry = (recipient: Recipient, verdict: Decision["kind"]) =>
    judgementEntry({ ...view, ...facts, recipient }, { verdict, rules }, parts.isLocal);
  return [
    ...taken.map((recipient) => entry(recipient, rules.for(recipient).kind)),
    ...dropped.map((recipient) => entry(recipient, "reject")),
  ];
}

/** Tells the next hop whom it leaves out, and what it keeps to be looked at. */
function setAside({ parts, view, handover }: Course, { rules, dropped, held }: Judged): void {
  for (const recipient of dropped)
    handover.drop?.(recipient, spokenReply(rules.for(recipient) as Refusal, view.mailId, parts.explainAt));
  if (!held) return;
  const by = { rule: held.by.rule.id, source: articleOf(held.by) };
  handover.hold?.(`${by.rule} - id ${view.mailId}`, by);
}

/** What rules asked for, then our signature over it, then our seal over both. */
async function editsOf({ parts, view }: Course, { headers, content, rules, taken }: Judged): Promise<HeaderEdit[]> {
  const edits = [...declarationsIn(headers), ...editsFor(rules, taken)];
  const { signing, sealing } = parts;
  const signature = signing ? await signing({ session: view.session, headers, content, edits }) : [];
  const seal = sealing ? await sealing(headers, content, [...signature, ...edits]) : [];
  return [...seal, ...signature, ...edits];
}

function parcelFor(course: Course, { headers, content, taken }: Judged, edits: readonly HeaderEdit[]): Parcel {
  const parcel = parcelOf(content, frontOf(course, taken), edits);
  const found = judgedBefore(headers);
  return found && provesSender(found, course.view.sender.address) ? { ...parcel, isProven: true } : parcel;
}

const replyOf = ({ replies }: Outcome, index: number): Reply =>
  replies[index] ?? replies[0] ?? writeReply("local-trouble");

const declarationsIn = ({ fields }: Headers): HeaderEdit[] =>
  fields.filter(({ name }) => DECLARATIONS.includes(name)).map((field) => ({ kind: "remove", field }));

const frontOf = ({ parts, view }: Course, recipients: readonly Recipient[]): Buffer =>
  receivedLine({
    ...view,
    hostname: parts.hostname,
    atMs: parts.clock.now(),
    recipients,
    smtpUtf8: view.sender.smtpUtf8,
  });

/** Writes down what the next hop said and says it on. */
async function settle(
  course: Course,
  subjects: readonly Parameters<typeof nextHopEntry>[0][],
  outcome: Outcome,
): Promise<Reply> {
  const { parts, view } = course;
  // Its handover is still to come, and is written down by who does it.
  if (outcome.isQueued) return withId(replyOf(outcome, 0), view.mailId);
  const facts = { isLocal: parts.isLocal, nextHopIp: outcome.nextHopIp };
  const replies = subjects.map(
    (_, index) => outcome.replies[index] ?? outcome.replies[0] ?? writeReply("local-trouble"),
  );
  const entries = subjects.map((subject, index) => nextHopEntry(subject, replies[index] as Reply, facts));
  const worst = replies.find((reply) => !isPositive(reply)) ?? (replies[0] as Reply);
  const answer = withId(worst, view.mailId);
  if (!isPositive(worst)) return recorded(parts, entries, answer);
  // The entry that it was received and may go on is on disk already, so the client need not wait for this one.
  parts.recorder.record(entries, "soon").catch((error: unknown) => {
    parts.log.error({ err: error, mailId: view.mailId }, "delivered, but the handover could not be written down");
  });
  return answer;
}

function messageIdOf(headers: Headers): { messageId?: string } {
  const messageId = headers
    .first("message-id")
    ?.replace(/[^\x21-\x7e]/g, "?")
    .slice(0, MESSAGE_ID_MAX);
  return messageId === undefined ? {} : { messageId };
}

/** The id in the last line, where every client's log keeps it. */
function withId(reply: Reply, mailId: string): Reply {
  const last = reply.lines.at(-1) ?? "";
  return { ...reply, lines: [...reply.lines.slice(0, -1), `${last} - id ${mailId}`.trimStart()] };
}
