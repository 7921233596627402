/** Everything that can be known of who sent a mail, asked at once: SPF for both identities, DKIM, ARC, and DMARC over them. */
import type { Names } from "../kit/names.ts";
import type { Address } from "../mail/address.ts";
import type { Content } from "../mail/content.ts";
import type { Headers } from "../mail/headers.ts";
import { addressesIn } from "../mail/mailboxes.ts";
import { type ArcOutcome, verifyArc } from "./arc/verify.ts";
import { type DkimOutcome, type SignedMail, verifyDkim } from "./dkim/verify.ts";
import type { DmarcEdition } from "./dmarc/discover.ts";
import { type DmarcOutcome, evaluateDmarc } from "./dmarc/evaluate.ts";
import type { MethodResult } from "./results.ts";
import { checkHost, type SpfOutcome } from "./spf/check.ts";

export interface Asked {
  readonly ip: string;
  readonly helo: string;
  /** Any object that lives as long as this client and HELO do: what HELO proves is asked once for it. */
  readonly session: object;
  /** null: the null reverse-path. */
  readonly sender: Address | null;
  readonly headers: Headers;
  readonly content: Content;
  /** Our own name. */
  readonly hostname: string;
  readonly nowMs: number;
  readonly edition: DmarcEdition;
  readonly signaturesMax: number;
  /** 0 to 99, the same for one mail. */
  readonly sample: number;
}

export interface SpfIdentity {
  readonly identity: "mailfrom" | "helo";
  readonly domain: string;
  /** The address of MAIL FROM; absent for HELO. */
  readonly address?: string;
  readonly outcome: SpfOutcome;
}

export interface Authenticity {
  /** The identity that counts: MAIL FROM, or HELO for the null sender. */
  readonly spf: SpfIdentity;
  /** HELO besides MAIL FROM. */
  readonly helo?: SpfIdentity;
  readonly dkim: readonly DkimOutcome[];
  readonly arc: ArcOutcome;
  readonly dmarc: DmarcOutcome;
}

const judged = new WeakMap<Headers, Authenticity>();

/** What was found out about this mail, if anybody asked: for those who come after the rules. */
export const judgedBefore = (headers: Headers): Authenticity | undefined => judged.get(headers);

/** Never throws for what mail or DNS say; silence shows as temperror in what it left open. */
export async function judgeAuthenticity(names: Names, asked: Asked): Promise<Authenticity> {
  const authors = addressesIn(asked.headers, "from").map(({ domain }) => domain);
  const mail = signedMailOf(asked.headers, asked.content);
  const options = { nowMs: asked.nowMs, signaturesMax: asked.signaturesMax, ...(authors[0] && { first: authors[0] }) };
  // Asked while SPF and keys are: its turn comes after them, and by then the answer is there.
  if (authors[0] && !authors[0].startsWith("[")) names.ask(`_dmarc.${authors[0]}`, "TXT").catch(() => undefined);
  const isSigned = asked.headers.fields.some(({ name }) => name === "dkim-signature" || name.startsWith("arc-"));
  const [[spf, helo], dkim, arc] = isSigned
    ? await Promise.all([askSpf(names, asked), verifyDkim(names, mail, options), verifyArc(names, mail)])
    : [await askSpf(names, asked), [], NO_ARC];
  const dmarc = await evaluateDmarc(names, {
    authors,
    spf: { domain: spf.domain.toLowerCase(), result: spf.outcome.result },
    dkim,
    edition: asked.edition,
    sample: asked.sample,
  });
  const found = { spf, ...(helo && { helo }), dkim, arc, dmarc };
  judged.set(asked.headers, found);
  return found;
}

const NO_ARC: ArcOutcome = { result: "none", sets: [] };

export function signedMailOf(headers: Headers, { header, whole, read }: Content): SignedMail {
  const skip = header.length;
  return { headers, block: header, body: whole ? whole.subarray(skip) : () => withoutFirst(read(), skip) };
}

async function* withoutFirst(pieces: AsyncIterable<Buffer>, bytes: number): AsyncIterable<Buffer> {
  let left = bytes;
  for await (const piece of pieces) {
    if (piece.length > left) yield left > 0 ? piece.subarray(left) : piece;
    left = Math.max(0, left - piece.length);
  }
}

async function askSpf(names: Names, asked: Asked): Promise<[SpfIdentity, SpfIdentity?]> {
  const byHelo = askHelo(names, asked);
  const { helo, sender } = asked;
  if (!sender) return [await byHelo];
  const { domain, local, text } = sender;
  const question = { ip: asked.ip, helo, receiver: asked.hostname, nowMs: asked.nowMs };
  const [outcome, second] = await Promise.all([
    checkHost(names, { ...question, domain, sender: `${local}@${domain}` }),
    byHelo,
  ]);
  return [{ identity: "mailfrom", domain, address: text, outcome }, second];
}

const heard = new WeakMap<object, SpfIdentity>();

/** What HELO proves; silence is asked about again with the next mail. */
async function askHelo(names: Names, { session, ip, helo, hostname, nowMs }: Asked): Promise<SpfIdentity> {
  const known = heard.get(session);
  if (known) return known;
  const sender = `postmaster@${helo}`;
  const outcome = await checkHost(names, { ip, helo, domain: helo, sender, receiver: hostname, nowMs });
  const found = { identity: "helo", domain: helo, outcome } as const;
  if (outcome.result !== "temperror") heard.set(session, found);
  return found;
}

/** As Authentication-Results has it (RFC 8601 2.7, RFC 8617 10.2). */
export function methodsOf({ spf, helo, dkim, arc, dmarc }: Authenticity): MethodResult[] {
  return [
    spfMethod(spf),
    ...(helo ? [spfMethod(helo)] : []),
    ...(dkim.length === 0 ? [{ method: "dkim", result: "none" }] : dkim.map(dkimMethod)),
    dmarcMethod(dmarc),
    ...(arc.result === "none" ? [] : [arcMethod(arc)]),
  ];
}

const spfMethod = ({ identity, domain, address, outcome }: SpfIdentity): MethodResult => ({
  method: "spf",
  result: outcome.result,
  reason: outcome.because,
  properties: identity === "helo" ? { "smtp.helo": domain } : { "smtp.mailfrom": address ?? domain },
});

const dkimMethod = (outcome: DkimOutcome): MethodResult => ({
  method: "dkim",
  result: outcome.result,
  comment: outcome.testing ? "the domain only tests" : undefined,
  reason: outcome.because,
  properties: {
    "header.d": outcome.domain,
    "header.i": outcome.identity,
    "header.s": outcome.selector,
    "header.a": outcome.algorithm,
    "header.b": outcome.hint,
  },
});

const dmarcMethod = (outcome: DmarcOutcome): MethodResult => ({
  method: "dmarc",
  result: outcome.result,
  comment: outcome.policy && `p=${outcome.policy}`,
  reason: outcome.because,
  properties: {
    "header.from": outcome.author,
    "polrec.p": outcome.policy,
    "polrec.domain": outcome.recordAt === outcome.author ? undefined : outcome.recordAt,
  },
});

const arcMethod = ({ result, because, sets, sealer }: ArcOutcome): MethodResult => ({
  method: "arc",
  result,
  comment: sets.length > 0 ? `i=${sets.length}` : undefined,
  reason: because,
  properties: { "header.d": sealer },
});
