/**
 * check_host() of RFC 7208 4: may this address send for this domain? Ten terms that ask DNS, two answers that say nothing, ten
 * names of an MX or PTR: the bounds of section 4.6.4 are what ends circles and floods.
 */
import { canonicalIp } from "../../kit/ip.ts";
import { type Answer, type Names, type RecordOf, type RecordType, reverseName } from "../../kit/names.ts";
import { Unavailable } from "../../kit/trouble.ts";
import { expandMacros, type MacroString, parseMacros, type Values } from "./macro.ts";
import { addressBytes, agree, nibbles } from "./network.ts";
import { type Directive, isSpfRecord, type Mechanism, readSpfRecord, type SpfRecord } from "./record.ts";

export type SpfResult = "none" | "neutral" | "pass" | "fail" | "softfail" | "temperror" | "permerror";

export interface SpfOutcome {
  readonly result: SpfResult;
  /** What decided, in a few words: a mechanism, or what is wrong with the record. */
  readonly because?: string;
  /** What the domain's owner says to those who fail; ASCII. */
  readonly explanation?: string;
}

export interface SpfQuestion {
  /** Of the client. */
  readonly ip: string;
  /** Of MAIL FROM, or HELO. */
  readonly domain: string;
  /** local-part@domain; postmaster@HELO for the null sender. */
  readonly sender: string;
  readonly helo: string;
  /** Our own name. */
  readonly receiver: string;
  readonly nowMs: number;
}

const TERMS_MAX = 10;
const VOIDS_MAX = 2;
const HOSTS_MAX = 10;
const NAME_MAX = 253;
const EXPLANATION_MAX = 400;

/** Ends the evaluation, whatever level it is on. */
class Stop extends Error {
  readonly result: "temperror" | "permerror";

  constructor(result: "temperror" | "permerror", because: string) {
    super(because);
    this.result = result;
  }
}

interface Course {
  readonly names: Names;
  readonly question: SpfQuestion;
  readonly address: Uint8Array;
  readonly local: string;
  readonly senderDomain: string;
  terms: number;
  voids: number;
}

/** Never throws for anything DNS or a record says: silence is `temperror`. */
export async function checkHost(names: Names, question: SpfQuestion): Promise<SpfOutcome> {
  // Nearly every client is a plain IPv4 address; the others may be written in many ways, and mapped ones are IPv4 too.
  const plain = addressBytes(question.ip);
  const address = plain?.length === 4 ? plain : addressBytes(canonicalIp(question.ip) ?? "");
  if (!address) return { result: "none", because: "no address" };
  const at = question.sender.lastIndexOf("@");
  const course: Course = {
    names,
    question,
    address,
    local: question.sender.slice(0, Math.max(0, at)) || "postmaster",
    senderDomain: question.sender.slice(at + 1),
    terms: 0,
    voids: 0,
  };
  try {
    return await evaluate(course, question.domain);
  } catch (error) {
    if (error instanceof Stop) return { result: error.result, because: error.message };
    if (error instanceof Unavailable) return { result: "temperror", because: "DNS does not answer" };
    throw error;
  }
}

/** A name with two labels at least that DNS could hold (RFC 7208 4.3). */
function isFullName(domain: string): boolean {
  const labels = domain.split(".");
  return labels.length > 1 && domain.length <= NAME_MAX && labels.every((label) => label !== "" && label.length <= 63);
}

async function evaluate(course: Course, written: string): Promise<SpfOutcome> {
  const domain = written.replace(/\.$/, "");
  if (domain.startsWith("[") || !isFullName(domain)) return { result: "none", because: "no domain name" };
  const { records } = await course.names.ask(domain, "TXT");
  const [text, ...more] = records.filter(isSpfRecord);
  if (text === undefined) return { result: "none" };
  if (more.length > 0) return { result: "permerror", because: "several records" };
  const record = readSpfRecord(text);
  if (!record) return { result: "permerror", because: "a syntax error in the record" };
  for (const directive of record.directives) {
    if (await matches(course, domain, directive.mechanism)) return decided(course, domain, { record, directive });
  }
  return record.redirect ? redirected(course, domain, record.redirect) : { result: "neutral", because: "no match" };
}

async function decided(
  course: Course,
  domain: string,
  { record, directive }: { record: SpfRecord; directive: Directive },
): Promise<SpfOutcome> {
  const outcome = { result: directive.qualifier, because: directive.text };
  if (directive.qualifier !== "fail" || !record.explanation) return outcome;
  const explanation = await explain(course, domain, record.explanation);
  return explanation === undefined ? outcome : { ...outcome, explanation };
}

async function redirected(course: Course, domain: string, redirect: MacroString): Promise<SpfOutcome> {
  countTerm(course);
  const outcome = await evaluate(course, await target(course, domain, redirect));
  return outcome.result === "none" ? { result: "permerror", because: "redirect leads nowhere" } : outcome;
}

function countTerm(course: Course): void {
  course.terms += 1;
  if (course.terms > TERMS_MAX) throw new Stop("permerror", `more than ${TERMS_MAX} terms that ask DNS`);
}

/** Asks, and counts answers that say nothing (RFC 7208 4.6.4). */
async function ask<T extends RecordType>(course: Course, name: string, type: T): Promise<Answer<RecordOf[T]>> {
  const answer = await course.names.ask(name, type);
  if (answer.records.length === 0) {
    course.voids += 1;
    if (course.voids > VOIDS_MAX) throw new Stop("permerror", `more than ${VOIDS_MAX} look-ups without an answer`);
  }
  return answer;
}

async function matches(course: Course, domain: string, mechanism: Mechanism): Promise<boolean> {
  if (mechanism.kind === "all") return true;
  if (mechanism.kind === "ip") return agree(course.address, mechanism.network, mechanism.bits);
  countTerm(course);
  const name = mechanism.domain ? await target(course, domain, mechanism.domain) : domain;
  switch (mechanism.kind) {
    case "include":
      return included(await evaluate(course, name));
    case "exists":
      return (await ask(course, name, "A")).records.length > 0;
    case "ptr":
      return (await validated(course)).some(
        (host) => host === name.toLowerCase() || host.endsWith(`.${name.toLowerCase()}`),
      );
    case "a":
      return hostMatches(course, name, mechanism);
    case "mx":
      return mxMatches(course, name, mechanism);
  }
}

/** RFC 7208 5.2. */
function included({ result, because }: SpfOutcome): boolean {
  if (result === "temperror" || result === "permerror") throw new Stop(result, because ?? "an included record");
  if (result === "none") throw new Stop("permerror", "include leads nowhere");
  return result === "pass";
}

interface Bits {
  readonly bits4: number;
  readonly bits6: number;
}

async function hostMatches(course: Course, host: string, { bits4, bits6 }: Bits): Promise<boolean> {
  const { records } = await addressesOf(course, host, ask);
  const bits = course.address.length === 4 ? bits4 : bits6;
  return records.some((text) => {
    const bytes = addressBytes(text);
    return bytes !== undefined && agree(course.address, bytes, bits);
  });
}

const addressesOf = (course: Course, host: string, how: typeof ask): Promise<Answer<string>> =>
  how(course, host, course.address.length === 4 ? "A" : "AAAA");

async function mxMatches(course: Course, name: string, bits: Bits): Promise<boolean> {
  const { records } = await ask(course, name, "MX");
  const hosts = [...records].sort((one, other) => one.preference - other.preference);
  for (const [index, { host }] of hosts.entries()) {
    if (index >= HOSTS_MAX) throw new Stop("permerror", `more than ${HOSTS_MAX} MX hosts`);
    if (host !== "" && (await hostMatches(course, host, bits))) return true;
  }
  return false;
}

/** The client's names that lead back to it (RFC 7208 5.5); what goes wrong on the way only means fewer of them. */
async function validated(course: Course): Promise<string[]> {
  const found: string[] = [];
  try {
    const ip = canonicalIp(course.question.ip) ?? "";
    const { records } = await ask(course, reverseName(ip), "PTR");
    for (const host of records.slice(0, HOSTS_MAX)) if (await leadsBack(course, host)) found.push(host);
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
  }
  return found;
}

async function leadsBack(course: Course, host: string): Promise<boolean> {
  try {
    const { records } = await addressesOf(course, host, (_, name, type) => course.names.ask(name, type));
    return records.some((text) => {
      const bytes = addressBytes(text);
      return bytes !== undefined && agree(course.address, bytes, bytes.length * 8);
    });
  } catch (error) {
    if (error instanceof Unavailable) return false;
    throw error;
  }
}

/** A domain-spec written out; too long a name loses labels on its left (RFC 7208 7.3). */
async function target(course: Course, domain: string, spec: MacroString): Promise<string> {
  let name = (await expandMacros(spec, valuesFor(course, domain))).replace(/\.$/, "");
  while (name.length > NAME_MAX && name.includes(".")) name = name.slice(name.indexOf(".") + 1);
  return name;
}

function valuesFor(course: Course, domain: string): Values {
  const { question, address, local, senderDomain } = course;
  const isV4 = address.length === 4;
  const values: Readonly<Record<string, () => string | Promise<string>>> = {
    s: () => `${local}@${senderDomain}`,
    l: () => local,
    o: () => senderDomain,
    d: () => domain,
    i: () => (isV4 ? address.join(".") : nibbles(address)),
    p: () => validatedName(course, domain),
    v: () => (isV4 ? "in-addr" : "ip6"),
    h: () => question.helo,
    c: () => canonicalIp(question.ip) ?? question.ip,
    r: () => question.receiver,
    t: () => String(Math.floor(question.nowMs / 1000)),
  };
  return (letter) => values[letter]?.() ?? "";
}

async function validatedName(course: Course, domain: string): Promise<string> {
  const hosts = await validated(course);
  const wanted = domain.toLowerCase();
  return (
    hosts.find((host) => host === wanted) ?? hosts.find((host) => host.endsWith(`.${wanted}`)) ?? hosts[0] ?? "unknown"
  );
}

/** RFC 7208 6.2: whatever goes wrong, there is just no explanation. */
async function explain(course: Course, domain: string, spec: MacroString): Promise<string | undefined> {
  try {
    const { records } = await course.names.ask(await target(course, domain, spec), "TXT");
    const macros = records.length === 1 ? parseMacros(records[0] ?? "", { explanation: true }) : undefined;
    const text = macros && (await expandMacros(macros, valuesFor(course, domain)));
    return text !== undefined && /^[\x20-\x7e]*$/.test(text) ? text.slice(0, EXPLANATION_MAX) : undefined;
  } catch (error) {
    if (error instanceof Stop || error instanceof Unavailable) return undefined;
    throw error;
  }
}
