import { z } from "zod";
import type { Authenticity } from "../../authenticity/judge.ts";
import { judgeAuthenticity, methodsOf } from "../../authenticity/judge.ts";
import { claimedResults, RESULTS_HEADER, writeResults } from "../../authenticity/results.ts";
import { type AuthVerdict, areKin, verdictOf } from "../../authenticity/verdict.ts";
import type { Pack } from "../../law/pack.ts";
import { domainList } from "../../mail/domains.ts";
import type { HeaderEdit } from "../../mail/edits.ts";
import type { ReplyId } from "../../mail/replies.ts";
import { type BodyView, isOwn } from "../../mail/views.ts";
import {
  type Context,
  defer,
  defineRule,
  type Evidence,
  type Finding,
  hold,
  note,
  reject,
  type Said,
  skip,
} from "../define.ts";

const consequence = z.enum(["reject", "hold", "note"]);
type Consequence = z.infer<typeof consequence>;
const domainName = z.string().transform((text) => text.toLowerCase());

const options = z.strictObject({
  dmarc: z
    .enum(["rfc9989", "rfc7489"])
    .default("rfc9989")
    .describe("how policies and organisational domains are found"),
  dmarcReject: consequence.default("reject").describe("what follows when the domain in From asks for reject"),
  dmarcQuarantine: consequence.default("hold").describe("what follows when it asks for quarantine"),
  spfFail: consequence.default("note").describe("what follows from an SPF fail where no DMARC policy decides"),
  spfFailByPack: z.record(z.string(), consequence).default({}).describe("the same for recipients whom a pack protects"),
  spfError: consequence.default("note").describe("what follows from an SPF record that cannot be used"),
  dnsSilent: z
    .enum(["defer", "note"])
    .default("defer")
    .describe("what follows when DNS keeps the answer from being known"),
  mustSign: z
    .array(domainName)
    .default([])
    .describe("domains (or *.domain) whose mail is refused without a valid signature of theirs, whatever SPF says"),
  trustedSealers: z.array(domainName).default([]).describe("domains whose ARC seal vouches for mail they forward"),
  signaturesMax: z.int().positive().max(100).default(10).describe("most DKIM signatures that are checked"),
  writeResults: z.boolean().default(true).describe("write Authentication-Results into mail that goes on"),
});
type Options = z.infer<typeof options>;

export const authenticity = defineRule({
  id: "envelope/authenticity",
  title: "The mail comes from whom it names",
  why: "Envelope information may not be forged (art. 13(1)), and From is part of it (art. 26). SPF, DKIM, ARC and DMARC say pass, fail or\ncannot know: a domain that asks for reject is obeyed, what it wants quarantined is held, everything else is written down.\nWithout dns.servers nothing is checked; when DNS does not answer, the mail waits at its sender.",
  sources: [
    { cite: "Order 38 (CN 2006) art. 13(1)", confidence: "C5" },
    { cite: "RFC 9989 5", confidence: "RFC" },
    { cite: "RFC 7208 8", confidence: "RFC" },
  ],
  falseAlarms: [
    "A mailing list that changes mail of a domain with p=reject and does not rewrite From: name it in trustedSealers",
    "A forwarder that keeps MAIL FROM, where the author signs nothing",
    "A sender whose SPF record was forgotten when its server moved",
  ],
  options,
  looks: {
    body(view, context) {
      const { headers, session } = view;
      const forged = claimedResults(headers, context.site.hostname);
      const removals = forged.map((field): HeaderEdit => ({ kind: "remove", field }));
      const unasked = isOwn(session) ? OWN : context.names ? undefined : NO_DNS;
      if (unasked) return removals.length > 0 ? { ...unasked, edits: removals } : unasked;
      return judgeMail(view, context, removals);
    },
  },
});

const OWN = skip("one of our own");
const NO_DNS = skip("no DNS server is named in dns.servers");

async function judgeMail(view: BodyView, context: Context<Options>, removals: HeaderEdit[]): Promise<Said> {
  const { names } = context;
  if (!names) return NO_DNS;
  const found = await judgeAuthenticity(names.within(view.sender), askedOf(view, context));
  const { trustedSealers, writeResults: writes } = context.options;
  const value = writeResults(context.site.hostname, methodsOf(found));
  const edits = writes ? [...removals, { kind: "add" as const, name: RESULTS_HEADER, value }] : removals;
  const verdict = verdictOf(found, trustedSealers);
  const evidence = { ...evidenceOf(found, verdict), ...(removals.length > 0 && { forgedResults: removals.length }) };
  const unsigned = missingSignature(found, context.options.mustSign);
  const said = unsigned ? [unsigned] : consequencesOf(verdict, found, { view, context });
  return withFacts(said, { edits, evidence });
}

/** One finding for everybody carries what was found; where recipients are told apart, a pass of its own does. */
function withFacts(said: readonly Finding[], facts: { edits: readonly HeaderEdit[]; evidence: Evidence }): Finding[] {
  const [only, ...more] = said;
  if (!only) return [{ kind: "pass", ...facts }];
  if (more.length > 0 || only.packs) return [{ kind: "pass", ...facts }, ...said];
  return [{ ...only, edits: facts.edits, evidence: { ...facts.evidence, ...only.evidence } }];
}

const askedOf = (view: BodyView, { site, clock, options }: Context<Options>) => ({
  ip: view.session.clientIp,
  helo: view.session.helo ?? "",
  session: view.session,
  sender: view.sender.address,
  headers: view.headers,
  content: view.content,
  hostname: site.hostname,
  nowMs: clock.now(),
  edition: options.dmarc,
  signaturesMax: options.signaturesMax,
  sample: sampleOf(view.mailId),
});

/** 0 to 99, the same whenever the same mail is looked at. */
function sampleOf(mailId: string): number {
  let sum = 0;
  for (const char of mailId) sum = (sum * 31 + char.charCodeAt(0)) % 100;
  return sum;
}

/** What the ledger keeps of it: results and domains, nothing of the text. */
function evidenceOf({ spf, helo, dkim, arc, dmarc }: Authenticity, verdict: AuthVerdict): Evidence {
  const signatures = dkim.map(({ result, domain = "" }) => `${result} ${domain}`.trim());
  return {
    authentic: verdict.kind,
    spf: `${spf.outcome.result} ${spf.domain}`,
    ...(helo && { helo: `${helo.outcome.result} ${helo.domain}` }),
    dkim: signatures.length === 0 ? "none" : signatures.join(", ").slice(0, 250),
    dmarc: `${dmarc.result} ${dmarc.author ?? ""}`.trim(),
    ...(dmarc.policy && { policy: dmarc.policy }),
    ...(arc.result !== "none" && { arc: `${arc.result} ${arc.sealer ?? ""}`.trim() }),
  };
}

/** What is wrong with the signatures of a mail whose author always signs (RFC 7372 3.1). */
function missingSignature({ dkim, dmarc }: Authenticity, mustSign: readonly string[]): Finding | undefined {
  const author = dmarc.author ?? "";
  if (mustSign.length === 0 || !domainList(mustSign).has(author)) return undefined;
  if (dkim.some(({ result, domain }) => result === "temperror" && areKin(domain, author))) {
    return defer("dns-away", { evidence: { author } });
  }
  const passing = dkim.filter(({ result }) => result === "pass");
  const own = passing.filter(({ domain }) => areKin(domain, author));
  if (own.some(({ unsignedBytes = 0 }) => unsignedBytes === 0)) return undefined;
  const reply = own.length > 0 ? "dkim-partial" : passing.length > 0 ? "dkim-author" : "dkim-missing";
  return reject(reply, { evidence: { author }, detail: author });
}

interface About {
  readonly view: BodyView;
  readonly context: Context<Options>;
}

function consequencesOf(verdict: AuthVerdict, found: Authenticity, about: About): Finding[] {
  const { options } = about.context;
  if (verdict.kind === "pass") return [];
  switch (verdict.why) {
    case "dmarc":
      return found.dmarc.policy === "none" && found.spf.outcome.result === "fail"
        ? bySpf(verdict, found, about)
        : [byPolicy(verdict, found, options)];
    case "spf-fail":
      return bySpf(verdict, found, about);
    case "spf-error":
      return [acting(options.spfError, "spf-error", { says: verdict.says, detail: found.spf.domain })];
    case "silence":
      return options.dnsSilent === "defer"
        ? [defer("dns-away", { evidence: { says: verdict.says } })]
        : [note(verdict.says)];
    default:
      return [note(verdict.says)];
  }
}

function byPolicy({ says }: AuthVerdict, { dmarc }: Authenticity, options: Options): Finding {
  const source = { cite: "Order 38 (CN 2006) art. 13(1)", confidence: "C5" } as const;
  const asks = { reject: options.dmarcReject, quarantine: options.dmarcQuarantine, none: "note" } as const;
  const said = acting(asks[dmarc.policy ?? "none"], "dmarc-fail", { says, detail: dmarc.author ?? "" });
  return { ...said, source };
}

/** One finding for each consequence that somebody's pack, or nobody's, demands. */
function bySpf({ says }: AuthVerdict, { spf }: Authenticity, { view, context }: About): Finding[] {
  const { spfFail, spfFailByPack } = context.options;
  const detail = spf.outcome.explanation ?? spf.domain;
  const groups = new Map<Consequence, { recipients: BodyView["recipients"][number][]; packs: Set<Pack> }>();
  for (const recipient of view.recipients) {
    const named = context.packsFor(recipient, view.session).filter(({ id }) => spfFailByPack[id] !== undefined);
    const demanded = hardest([spfFail, ...named.map(({ id }) => spfFailByPack[id] ?? spfFail)]);
    const group = groups.get(demanded) ?? { recipients: [], packs: new Set<Pack>() };
    group.recipients.push(recipient);
    if (demanded !== spfFail) for (const pack of named) if (spfFailByPack[pack.id] === demanded) group.packs.add(pack);
    groups.set(demanded, group);
  }
  return [...groups].map(([demanded, { recipients, packs }]) => ({
    ...acting(demanded, "spf-fail", { says, detail }),
    recipients,
    ...(packs.size > 0 && { packs: [...packs] }),
  }));
}

const HARDNESS: Readonly<Record<Consequence, number>> = { note: 0, hold: 1, reject: 2 };
const hardest = (demanded: readonly Consequence[]): Consequence =>
  demanded.reduce((most, one) => (HARDNESS[one] > HARDNESS[most] ? one : most));

function acting(demanded: Consequence, reply: ReplyId, { says, detail }: { says: string; detail: string }): Finding {
  const evidence = { says };
  if (demanded === "reject") return reject(reply, { evidence, detail });
  return demanded === "hold" ? hold(says, { evidence }) : note(says, { evidence });
}
