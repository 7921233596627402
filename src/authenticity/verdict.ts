/** One sentence about all that was found: is the mail what it says it is? What follows is the rule's matter. */
import { resultsOf } from "./arc/sets.ts";
import { readTags, unfolded } from "./dkim/tags.ts";
import type { Authenticity } from "./judge.ts";

export interface AuthVerdict {
  readonly kind: "pass" | "fail" | "cannot-know";
  /** One sentence; names domains, never people. */
  readonly says: string;
  /** Of a failure: what it offends against. Of the other kinds: "silence" when only DNS kept it from being known. */
  readonly why?: "dmarc" | "spf-fail" | "spf-error" | "silence";
}

/** @param trustedSealers domains whose ARC seal may vouch for a mail that was changed on its way; lower case */
export function verdictOf(found: Authenticity, trustedSealers: readonly string[]): AuthVerdict {
  const { dmarc, spf } = found;
  const author = dmarc.author ?? "";
  if (dmarc.result === "pass") return pass(`${dmarc.by === "spf" ? "SPF" : "DKIM"} proves ${author}`);
  if (dmarc.result === "fail") {
    const sealer = vouchedBy(found, trustedSealers);
    if (sealer !== undefined) return pass(`${sealer}, a trusted sealer, has seen ${author} proved (ARC)`);
    if (found.arc.result === "temperror" && trustedSealers.length > 0) return silence();
    return {
      kind: "fail",
      why: "dmarc",
      says: `neither SPF nor DKIM proves ${author}, which asks for ${dmarc.policy}`,
    };
  }
  if (dmarc.result === "temperror") return silence();
  return withoutPolicy(found, spf.outcome.result);
}

const pass = (says: string): AuthVerdict => ({ kind: "pass", says });
const silence = (): AuthVerdict => ({ kind: "cannot-know", why: "silence", says: "DNS does not answer" });

/** The domain in From publishes no policy: what SPF and DKIM say of other domains is all there is. */
function withoutPolicy(
  { spf, dkim, dmarc }: Authenticity,
  result: Authenticity["spf"]["outcome"]["result"],
): AuthVerdict {
  const vouches = dkim.some(
    (one) => one.result === "pass" && [spf.domain, dmarc.author].some((name) => areKin(one.domain, name)),
  );
  if (result === "fail" && !vouches) {
    return { kind: "fail", why: "spf-fail", says: `${spf.domain} says that this address may not send for it (SPF)` };
  }
  const signed = dkim.find((one) => one.result === "pass");
  if (signed) return pass(`DKIM proves ${signed.domain}; the domain in From has no policy`);
  if (result === "pass") return pass(`SPF proves ${spf.domain}; the domain in From has no policy`);
  if (result === "temperror" || dkim.some((one) => one.result === "temperror")) return silence();
  if (result === "permerror") {
    return { kind: "cannot-know", why: "spf-error", says: `the SPF record of ${spf.domain} cannot be used` };
  }
  const broken = dkim.find((one) => one.because !== undefined);
  return {
    kind: "cannot-know",
    says: broken
      ? `the signature proves nothing: ${broken.because}`
      : "no SPF record, no signature and no policy say who sent it",
  };
}

/** The same domain, or one below the other. */
export const areKin = (one = "", other = ""): boolean =>
  one !== "" && other !== "" && (one === other || one.endsWith(`.${other}`) || other.endsWith(`.${one}`));

/** The newest sealer in an unbroken row of trusted ones that has seen the mail pass DMARC. undefined: nobody vouches. */
function vouchedBy({ arc, dmarc }: Authenticity, trusted: readonly string[]): string | undefined {
  if (arc.result !== "pass") return undefined;
  const newest = arc.sets.at(-1);
  const signed =
    newest &&
    unfolded(readTags(newest.message.value)?.get("h") ?? "")
      .toLowerCase()
      .split(":");
  if (!signed?.includes("from")) return undefined;
  for (const set of [...arc.sets].reverse()) {
    const sealer = unfolded(set.sealTags.get("d") ?? "").toLowerCase();
    if (!trusted.includes(sealer)) return undefined;
    if (sawPass(resultsOf(set), dmarc.author ?? "")) return sealer;
  }
  return undefined;
}

/** "…; dmarc=pass … header.from=author": where the domain is named, it must be the author's. */
function sawPass(results: string, author: string): boolean {
  return results.split(";").some((part) => {
    if (!/^\s*dmarc\s*=\s*pass\b/i.test(part)) return false;
    const named = /\bheader\.from\s*=\s*"?(?:[^\s;"@]*@)?([^\s;"]+)/i.exec(part)?.[1];
    return named === undefined || named.toLowerCase() === author;
  });
}
