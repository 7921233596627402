/** Mails run through the rules one after the other, and what those said in a pack's name, counted. */

import { readFileMail } from "../doors/check/wire.ts";
import type { ContentBounds } from "../doors/content-writer.ts";
import type { DataBounds } from "../doors/smtp/data-reader.ts";
import type { Client } from "../mail/client.ts";
import type { Content } from "../mail/content.ts";
import { domainList } from "../mail/domains.ts";
import { Headers } from "../mail/headers.ts";
import { addressesIn } from "../mail/mailboxes.ts";
import { parseAddress } from "../mail/path.ts";
import { decodedSubject } from "../mail/subject.ts";
import type { BodyView, Recipient, Session } from "../mail/views.ts";
import type { Pipeline } from "../pipeline/pipeline.ts";
import { type Spoken, scopedTo } from "../pipeline/verdict.ts";
import type { StoredMail } from "./mail-files.ts";

export interface TrialParts {
  readonly pipeline: Pipeline;
  readonly bounds: DataBounds & ContentBounds;
  /** Set: mail of our own; those who write it are looked for here. */
  readonly clients: readonly Client[] | undefined;
  readonly examplesMax: number;
  readonly subjects: boolean;
  readonly onProgress: (mails: number) => void;
}

const KINDS = ["reject", "defer", "hold", "label", "note"] as const;
type Kind = (typeof KINDS)[number];

interface Example {
  readonly id: string;
  readonly subject?: string;
}

interface Counted {
  readonly rule: string;
  readonly kind: Kind;
  /** The reply, or the reason where there is none. */
  readonly what: string;
  mails: number;
  readonly examples: Example[];
}

export interface Trial {
  readonly mails: number;
  readonly unreadable: number;
  /** Each mail once, under the hardest that would happen to it. */
  readonly outcomes: Readonly<Record<Kind | "nothing", number>>;
  /** The most frequent first. */
  readonly findings: readonly Readonly<Counted>[];
}

export async function runTrial(mails: AsyncIterable<StoredMail>, parts: TrialParts): Promise<Trial> {
  const outcomes = { reject: 0, defer: 0, hold: 0, label: 0, note: 0, nothing: 0 };
  const counted = new Map<string, Counted>();
  let read = 0;
  let unreadable = 0;
  for await (const mail of mails) {
    parts.onProgress(read + unreadable);
    const { content, defect } = await readFileMail(mail.pieces(), parts.bounds);
    if (!content || defect) {
      unreadable += 1;
      continue;
    }
    try {
      read += 1;
      const headers = Headers.parse(content.header);
      const said = await judge(content, headers, parts);
      outcomes[KINDS.find((kind) => said.some((each) => each.kind === kind)) ?? "nothing"] += 1;
      const example = exampleOf(headers, mail.name, parts.subjects);
      for (const each of said) countIn(counted, each, { example, examplesMax: parts.examplesMax });
    } finally {
      await content.dispose();
    }
  }
  const findings = [...counted.values()].sort((one, other) => other.mails - one.mails);
  return { mails: read, unreadable, outcomes, findings };
}

type Said = Pick<Counted, "rule" | "kind" | "what">;

/** What the rules say in a pack's name, each once a mail. */
async function judge(content: Content, headers: Headers, { pipeline, clients }: TrialParts): Promise<Said[]> {
  const view = viewOf(content, headers, clients);
  if (view.recipients.length === 0) return [];
  const spoken: Spoken[] = [];
  for (const recipient of view.recipients) {
    spoken.push(...scopedTo(await pipeline.run("rcpt", { ...view, recipient }), recipient).spoken);
  }
  spoken.push(...(await pipeline.run("header", view)).spoken);
  if (pipeline.has("body")) spoken.push(...(await pipeline.run("body", view)).spoken);
  const said = new Map(
    spoken.flatMap((each) => saidBy(each).map((one) => [`${one.rule} ${one.kind} ${one.what}`, one])),
  );
  return [...said.values()];
}

function saidBy({ finding, rule }: Spoken): Said[] {
  if (!finding.packs || finding.kind === "pass" || finding.kind === "skip") return [];
  const kind = finding.kind === "note" && finding.edits ? "label" : finding.kind;
  return [
    { rule: rule.id, kind, what: "reply" in finding && finding.kind !== "hold" ? finding.reply : finding.reason },
  ];
}

/** As much of an envelope as a stored mail tells. */
function viewOf(content: Content, headers: Headers, clients: readonly Client[] | undefined): BodyView {
  const [from] = addressesIn(headers, "from");
  return {
    session: sessionOf(from?.domain ?? "", clients),
    mailId: "trial",
    sender: { address: from ?? null, eightBit: true, smtpUtf8: true, requireTls: false },
    recipients: recipientsOf(headers),
    headers,
    content,
  };
}

function sessionOf(domain: string, clients: readonly Client[] | undefined): Session {
  const known = clients?.find(({ domains }) => domainList(domains).has(domain));
  const stand: Client = {
    id: domain || "unknown",
    kind: "isp-customer",
    networks: [],
    domains: [domain],
    disabled: false,
  };
  // Whatever packs the client writes under: it is this one that is tried.
  const { packs: _, ...client } = known ?? stand;
  return {
    id: "trial",
    door: "check",
    role: clients ? "submission" : "mx",
    clientIp: "192.0.2.1",
    clientPort: 0,
    serverIp: "127.0.0.1",
    serverPort: clients ? 587 : 25,
    inRelayNetworks: false,
    ...(clients && { client }),
  };
}

/** Recipients a stored mail is taken to have. */
const RECIPIENTS_MAX = 100;

/** Whoever it was delivered to, else whom it was written to. */
function recipientsOf(headers: Headers): Recipient[] {
  const delivered = headers.first("delivered-to") ?? headers.first("x-original-to");
  const address = delivered === undefined ? undefined : parseAddress(delivered.replace(/^<|>$/g, ""));
  const found = address ? [address] : ["to", "cc"].flatMap((name) => addressesIn(headers, name));
  const once = new Map(found.map((each) => [each.key, { address: each }]));
  return [...once.values()].slice(0, RECIPIENTS_MAX);
}

const exampleOf = (headers: Headers, name: string, subjects: boolean): Example => ({
  id: headers.first("message-id") ?? name,
  ...(subjects && { subject: decodedSubject(headers) }),
});

function countIn(
  counted: Map<string, Counted>,
  said: Said,
  { example, examplesMax }: { example: Example; examplesMax: number },
): void {
  const key = `${said.rule} ${said.kind} ${said.what}`;
  const known = counted.get(key) ?? { ...said, mails: 0, examples: [] };
  counted.set(key, known);
  known.mails += 1;
  if (known.examples.length < examplesMax) known.examples.push(example);
}
