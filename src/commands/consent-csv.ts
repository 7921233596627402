/** Consents as CSV: what a line must hold, and the line a consent becomes. Pure; both ways meet (export, then import). */
import { csvLine } from "../kit/csv.ts";
import { parseHours } from "../kit/hours.ts";
import { canonicalIp } from "../kit/ip.ts";
import { Misuse } from "../kit/trouble.ts";
import { parseAddress, parseDomain } from "../mail/path.ts";
import type { Consent } from "../registers/consents.ts";
import { parseInstant } from "./times.ts";

const REQUIRED = ["recipient", "advertiser", "granted_at", "how"] as const;
const OPTIONAL = ["reference", "text_version", "ip", "topics", "limit", "hours", "text", "document_sha256"] as const;
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
    ...readScope({ topics: of("topics").split(TOPIC_SEPARATOR), limit: of("limit"), hours: of("hours") }),
    grantedAtMs,
    proof: readProof({
      how: of("how"),
      reference: of("reference"),
      text: of("text"),
      textVersion: of("text_version"),
      ip: of("ip"),
      documentSha256: of("document_sha256"),
    }),
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

const LIMIT = /^(\d{1,6})\/(\d{1,3})([hd])$/;
const HOUR_MS = 3_600_000;

/** What was agreed to: kinds, number in a period, hours. Empty texts are left out. @throws FieldProblem */
export function readScope(given: {
  topics: readonly string[];
  limit?: string;
  hours?: string;
}): Pick<Consent, "topics" | "limit" | "hours"> {
  const { topics, limit = "", hours = "" } = given;
  const read = parseHours(hours);
  if (hours !== "" && !read) {
    throw new FieldProblem(
      `hours: ${quoted(hours)} does not do; expected 09:00-18:00 Asia/Ho_Chi_Minh, or with days: … mon-fri`,
    );
  }
  return {
    topics: readTopics(topics),
    ...(limit !== "" && { limit: readLimit(limit) }),
    ...(read && { hours: read.text }),
  };
}

function readLimit(text: string): NonNullable<Consent["limit"]> {
  const [, max = "", count = "", unit = ""] = LIMIT.exec(text) ?? [];
  const limit = { max: Number(max), windowMs: Number(count) * (unit === "d" ? 24 : 1) * HOUR_MS };
  if (limit.max > 0 && limit.windowMs > 0) return limit;
  throw new FieldProblem(`limit: ${quoted(text)} does not do; expected a number and a period, such as 3/24h or 1/7d`);
}

/** 3/24h */
const limitText = ({ max, windowMs }: NonNullable<Consent["limit"]>): string => `${max}/${windowMs / HOUR_MS}h`;

const isUnprintable = (text: string): boolean => /[\x00-\x1f\x7f-\x9f]/.test(text);

interface GivenProof {
  readonly how: string;
  readonly reference?: string;
  readonly text?: string;
  readonly textVersion?: string;
  readonly ip?: string;
  readonly documentSha256?: string;
}

/** The wording itself may be long. */
const WORDING_MAX = 4_000;

/** The proof of a consent; empty texts are left out. @throws FieldProblem */
export function readProof(given: GivenProof): Consent["proof"] {
  const { how, reference = "", text = "", textVersion = "", ip = "", documentSha256 = "" } = given;
  if (!/^[a-z0-9][a-z0-9-]{0,39}$/.test(how) || how === "refusal") {
    throw new FieldProblem(`how: ${quoted(how)} does not do; expected a word such as ${HOWS.join(", ")}`);
  }
  checkLine("reference", reference, TEXT_MAX);
  checkLine("text_version", textVersion, TEXT_MAX);
  checkLine("text", text, WORDING_MAX);
  const address = canonicalIp(ip);
  if (ip !== "" && address === undefined) throw new FieldProblem(`ip: ${quoted(ip)} is no IP address`);
  if (documentSha256 !== "" && !/^[0-9a-f]{64}$/i.test(documentSha256)) {
    throw new FieldProblem(`document_sha256: ${quoted(documentSha256)} does not do; expected 64 hexadecimal digits`);
  }
  return {
    how,
    ...(reference !== "" && { reference }),
    ...(text !== "" && { text }),
    ...(textVersion !== "" && { textVersion }),
    ...(address !== undefined && { ip: address }),
    ...(documentSha256 !== "" && { documentSha256: documentSha256.toLowerCase() }),
  };
}

function checkLine(name: string, text: string, charsMax: number): void {
  if (text.length <= charsMax && !isUnprintable(text)) return;
  throw new FieldProblem(`${name}: ${quoted(text)} does not do; expected one line of at most ${charsMax} characters`);
}

/** How a recipient usually says yes (Circular 12/2008 III.1.1b). */
const HOWS = ["paper", "web-form", "double-opt-in", "call", "import"] as const;

export const headerLine = (): string => csvLine(COLUMNS);

export function lineOf({ recipient, advertiser, topics, limit, hours = "", grantedAtMs, proof }: Consent): string {
  const { how, reference = "", text = "", textVersion = "", ip = "", documentSha256 = "" } = proof;
  const at = new Date(grantedAtMs).toISOString();
  const scope = [topics.join(TOPIC_SEPARATOR), limit ? limitText(limit) : "", hours];
  return csvLine([recipient, advertiser, at, how, reference, textVersion, ip, ...scope, text, documentSha256]);
}
