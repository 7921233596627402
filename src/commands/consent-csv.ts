/** Consents as CSV: what a line must hold, and the line a consent becomes. Pure; both ways meet (export, then import). */
import { csvLine } from "../kit/csv.ts";
import { canonicalIp } from "../kit/ip.ts";
import { Misuse } from "../kit/trouble.ts";
import { parseAddress, parseDomain } from "../mail/path.ts";
import type { Consent } from "../registers/consents.ts";
import { parseInstant } from "./times.ts";

const REQUIRED = ["recipient", "advertiser", "granted_at", "how"] as const;
const OPTIONAL = ["reference", "text_version", "ip", "topics"] as const;
export const COLUMNS = [...REQUIRED, ...OPTIONAL] as const;
type Column = (typeof COLUMNS)[number];

const TEXT_MAX = 500;
const TOPICS_MAX = 50;
const TOPIC_MAX = 60;
/** Between the topics of one field. */
const TOPIC_SEPARATOR = ";";

/** Who may stand as advertiser: the ids of registered clients, and any domain that writes as From. */
export type Advertisers = ReadonlySet<string>;

/** What a line is checked against. */
export interface Ground {
  readonly advertisers: Advertisers;
  readonly nowMs: number;
}

/** A problem of one field. */
export class FieldProblem extends Error {}

const quoted = (text: string): string => JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);

/** The header line: which column stands where. @throws Misuse */
export function readHeader(fields: readonly string[]): readonly Column[] {
  const names = fields.map((field) => field.trim().toLowerCase());
  const problems = [
    ...names.filter((name) => !COLUMNS.includes(name as Column)).map((name) => `there is no column ${quoted(name)}`),
    ...names.filter((name, at) => names.indexOf(name) < at).map((name) => `the column ${quoted(name)} stands twice`),
    ...REQUIRED.filter((name) => !names.includes(name)).map((name) => `the column ${name} is missing`),
  ];
  if (problems.length > 0) {
    throw new Misuse(`the header line does not do; expected ${REQUIRED.join(",")}[,${OPTIONAL.join(",")}]:`, problems);
  }
  return names as Column[];
}

/** One line as a consent. @throws FieldProblem with what was wrong and what was expected */
export function readLine(columns: readonly Column[], fields: readonly string[], ground: Ground): Consent {
  if (fields.length !== columns.length) {
    throw new FieldProblem(`${fields.length} fields where the header has ${columns.length}`);
  }
  const of = (column: Column): string => (fields[columns.indexOf(column)] ?? "").trim();
  const grantedAtMs = readGrantedAt(of("granted_at"), ground.nowMs);
  return {
    recipient: readRecipient(of("recipient")),
    advertiser: readAdvertiser(of("advertiser"), ground.advertisers),
    topics: readTopics(of("topics").split(TOPIC_SEPARATOR)),
    grantedAtMs,
    proof: readProof({ how: of("how"), reference: of("reference"), textVersion: of("text_version"), ip: of("ip") }),
  };
}

/** The address key of a recipient. @throws FieldProblem */
export function readRecipient(text: string): string {
  const address = parseAddress(text);
  if (!address) throw new FieldProblem(`recipient: ${quoted(text)} is no address; expected local-part@domain`);
  return address.key;
}

/** @throws FieldProblem where it is neither a registered client nor a domain */
export function readAdvertiser(text: string, advertisers: Advertisers): string {
  const id = text.toLowerCase();
  if (advertisers.has(id)) return id;
  const domain = id.includes(".") ? parseDomain(id) : undefined;
  if (domain !== undefined && !domain.startsWith("[")) return domain;
  throw new FieldProblem(
    `advertiser: ${quoted(text)} is no client; expected the id of one, or the domain that writes as From`,
  );
}

function readGrantedAt(text: string, nowMs: number): number {
  const instant = parseInstant(text);
  if (!instant) {
    throw new FieldProblem(`granted_at: ${quoted(text)} is no time; expected 2026-11-22 or 2026-11-22T10:30:00Z`);
  }
  if (instant.ms > nowMs) throw new FieldProblem(`granted_at: ${quoted(text)} is yet to come`);
  return instant.ms;
}

/** @throws FieldProblem */
export function readTopics(texts: readonly string[]): string[] {
  const topics = [...new Set(texts.map((text) => text.trim().toLowerCase()).filter((text) => text !== ""))];
  if (topics.length > TOPICS_MAX) throw new FieldProblem(`topics: more than ${TOPICS_MAX}`);
  const odd = topics.find(
    (topic) => topic.length > TOPIC_MAX || isUnprintable(topic) || topic.includes(TOPIC_SEPARATOR),
  );
  if (odd !== undefined) {
    throw new FieldProblem(`topics: ${quoted(odd)} does not do; expected words of at most ${TOPIC_MAX} characters`);
  }
  return topics;
}

const isUnprintable = (text: string): boolean => /[\x00-\x1f\x7f-\x9f]/.test(text);

/** The proof of a consent; empty texts are left out. @throws FieldProblem */
export function readProof(given: {
  how: string;
  reference?: string;
  textVersion?: string;
  ip?: string;
}): Consent["proof"] {
  const { how, reference = "", textVersion = "", ip = "" } = given;
  if (!/^[a-z0-9][a-z0-9-]{0,39}$/.test(how) || how === "refusal") {
    throw new FieldProblem(`how: ${quoted(how)} does not do; expected a word such as ${HOWS.join(", ")}`);
  }
  for (const [name, text] of Object.entries({ reference, text_version: textVersion })) {
    if (text.length > TEXT_MAX || isUnprintable(text)) {
      throw new FieldProblem(
        `${name}: ${quoted(text)} does not do; expected one line of at most ${TEXT_MAX} characters`,
      );
    }
  }
  const address = canonicalIp(ip);
  if (ip !== "" && address === undefined) throw new FieldProblem(`ip: ${quoted(ip)} is no IP address`);
  return {
    how,
    ...(reference !== "" && { reference }),
    ...(textVersion !== "" && { textVersion }),
    ...(address !== undefined && { ip: address }),
  };
}

/** How a recipient usually says yes (Circular 12/2008 III.1.1b). */
export const HOWS = ["paper", "web-form", "double-opt-in", "call", "import"] as const;

export const headerLine = (): string => csvLine(COLUMNS);

export function lineOf({ recipient, advertiser, topics, grantedAtMs, proof }: Consent): string {
  const { how, reference = "", textVersion = "", ip = "" } = proof;
  const at = new Date(grantedAtMs).toISOString();
  return csvLine([recipient, advertiser, at, how, reference, textVersion, ip, topics.join(TOPIC_SEPARATOR)]);
}
