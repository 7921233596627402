/** DMARC (RFC 9989 4, 5): did SPF or DKIM prove a domain that belongs to the one in From, and what does that one want if not? */
import type { Names } from "../../kit/names.ts";
import { Unavailable } from "../../kit/trouble.ts";
import type { DkimOutcome } from "../dkim/verify.ts";
import type { SpfResult } from "../spf/check.ts";
import { type DmarcEdition, type Found, organisationFor, type Standing, standingOf } from "./discover.ts";
import { milder, type Policy } from "./record.ts";

export interface DmarcQuestion {
  /** Of From: one, and more only in mail that is made to confuse. Lower case A-labels. */
  readonly authors: readonly string[];
  /** What SPF said about the domain of MAIL FROM, or of HELO for the null sender. */
  readonly spf?: { readonly domain: string; readonly result: SpfResult };
  readonly dkim: readonly Pick<DkimOutcome, "result" | "domain">[];
  readonly edition: DmarcEdition;
  /** 0 to 99, for pct of RFC 7489: always the same for one mail. */
  readonly sample: number;
}

export interface DmarcOutcome {
  readonly result: "none" | "pass" | "fail" | "temperror" | "permerror";
  /** The domain of From it is about. */
  readonly author?: string;
  /** What is to be done with a mail that fails. */
  readonly policy?: Policy;
  /** Where the record was found. */
  readonly recordAt?: string;
  /** What proved it. */
  readonly by?: "spf" | "dkim";
  readonly because?: string;
}

/** More domains in From than that are not looked at one by one. */
const AUTHORS_MAX = 5;

/** Never throws for what DNS or the mail says. Of several authors the worst off counts: readers see all of them. */
export async function evaluateDmarc(names: Names, question: DmarcQuestion): Promise<DmarcOutcome> {
  const authors = [...new Set(question.authors)].filter((domain) => !domain.startsWith("[") && domain !== "");
  if (authors.length === 0) return { result: "permerror", because: "no domain in From" };
  // Whoever names so many hides one among them; RFC 9989 leaves several authors to the receiver.
  if (authors.length > AUTHORS_MAX && authors[0]) {
    return { result: "fail", policy: "reject", author: authors[0], because: "too many domains in From" };
  }
  const outcomes = await Promise.all(authors.map((author) => evaluateOne(names, author, question)));
  return outcomes.reduce((worst, one) => (badness(one) > badness(worst) ? one : worst));
}

const BADNESS = { pass: 0, none: 1, permerror: 2, temperror: 3, fail: 4 } as const;
const badness = ({ result, policy }: DmarcOutcome): number =>
  BADNESS[result] + (policy === "reject" ? 2 : policy === "quarantine" ? 1 : 0) * (result === "fail" ? 1 : 0);

async function evaluateOne(names: Names, author: string, question: DmarcQuestion): Promise<DmarcOutcome> {
  try {
    const standing = await standingOf(names, author, question.edition);
    const { found } = standing;
    if (!found) return { result: "none", author, because: "no policy is published" };
    const policy = await policyFor(names, author, { found, question });
    const known = { author, policy, recordAt: found.domain };
    const proof = await proofOf(names, { author, standing, found }, question);
    if (proof === "spf" || proof === "dkim") return { result: "pass", by: proof, ...known };
    if (proof === "unknown") return { result: "temperror", because: "DNS does not answer", ...known };
    return { result: "fail", because: "neither SPF nor DKIM proves the domain in From", ...known };
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    return { result: "temperror", author, because: "DNS does not answer" };
  }
}

async function policyFor(
  names: Names,
  author: string,
  { found, question }: { found: Found; question: DmarcQuestion },
): Promise<Policy> {
  const { record, domain } = found;
  let policy = record.policy;
  if (domain !== author) {
    policy = record.subdomains ?? record.policy;
    const { nonexistent } = record;
    const asks = question.edition === "rfc9989" && nonexistent !== undefined && nonexistent !== policy;
    if (asks && !(await names.ask(author, "A")).exists) policy = nonexistent;
  }
  if (question.edition === "rfc9989") return record.testing ? milder(policy) : policy;
  return question.sample < record.percent ? policy : milder(policy);
}

interface Author {
  readonly author: string;
  readonly standing: Standing;
  readonly found: Found;
}

/** What proves the author's domain: dkim, spf, nothing; or unknown when silence may have hidden it. */
async function proofOf(
  names: Names,
  about: Author,
  question: DmarcQuestion,
): Promise<"spf" | "dkim" | "unknown" | undefined> {
  const { strictDkim, strictSpf } = about.found.record;
  const aligned = (domain: string, strict: boolean) =>
    isAligned(names, domain, { ...about, strict, edition: question.edition });
  for (const { result, domain } of question.dkim) {
    if (result === "pass" && domain && (await aligned(domain, strictDkim))) return "dkim";
  }
  const { spf } = question;
  if (spf?.result === "pass" && (await aligned(spf.domain, strictSpf))) return "spf";
  for (const { result, domain } of question.dkim) {
    if (result === "temperror" && domain && (await aligned(domain, strictDkim))) return "unknown";
  }
  return spf?.result === "temperror" && (await aligned(spf.domain, strictSpf)) ? "unknown" : undefined;
}

/** RFC 9989 4.4: the same domain, or of the same organisation. */
async function isAligned(
  names: Names,
  domain: string,
  { author, standing, strict, edition }: Author & { strict: boolean; edition: DmarcEdition },
): Promise<boolean> {
  if (domain === author) return true;
  if (strict) return false;
  const organisation = await standing.organisation();
  // What is not below the author's organisation cannot be of it, and need not be asked about.
  if (domain !== organisation && !domain.endsWith(`.${organisation}`)) return false;
  return (await organisationFor(names, domain, edition)) === organisation;
}
