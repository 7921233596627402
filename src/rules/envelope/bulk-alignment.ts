import { z } from "zod";
import { readSignature } from "../../authenticity/dkim/signature.ts";
import { checkHost } from "../../authenticity/spf/check.ts";
import type { Pack } from "../../law/pack.ts";
import type { Headers } from "../../mail/headers.ts";
import { addressesIn } from "../../mail/mailboxes.ts";
import { organisationOf } from "../../mail/organisation.ts";
import type { HeaderView } from "../../mail/views.ts";
import { egressOf } from "../../registers/sending-addresses.ts";
import { declaredAdvertising } from "../../signals/declared.ts";
import { consequences } from "../consequence.ts";
import { type Context, defineRule, PASS, type Said, skip } from "../define.ts";
import { groupByPacks } from "../groups.ts";

export const bulkAlignment = defineRule({
  id: "envelope/bulk-alignment",
  title: "A client's bulk mail proves the domain in From",
  why: "Large mailbox providers take bulk mail only when DKIM or SPF proves a domain aligned with From. A client's bulk mail leaves\nwith a signature of ours (consentry dkim), bears one of its own, or comes from a domain whose SPF record lets one of the\nclient's registered egress addresses send. DNS silent: deferred.",
  sources: [
    { cite: "Google and Yahoo sender guidelines (authentication)", confidence: "C4" },
    { cite: "RFC 9989 4.4", confidence: "RFC" },
  ],
  falseAlarms: [
    "A next hop behind this relay that signs: leave the rule to watch",
    "A client whose domain has no key here yet: consentry dkim new DOMAIN, and publish the record",
  ],
  options: z.strictObject({}),
  looks: {
    header(view, context) {
      if (!view.session.client) return skip("no client");
      const groups = groupByPacks(view, context).filter(({ packs }) => packs.some(({ alignment }) => alignment));
      if (groups.length === 0) return skip("no law asks for it");
      const packs = groups.flatMap((group) => group.packs);
      if (!isBulk(view, packs)) return skip("not in bulk");
      return judge(view, context, (author) =>
        groups.flatMap(({ packs: asking, recipients }) =>
          consequences(view.session, demandsOf(asking), {
            reply: "bulk-unproved",
            reason: "neither signed nor sent as SPF allows",
            recipients,
            detail: `From is of ${author}`,
            evidence: { client: view.session.client?.id ?? "", author },
          }),
        ),
      );
    },
  },
});

const demandsOf = (packs: readonly Pack[]) =>
  packs.flatMap((pack) => (pack.alignment ? [{ pack, requirement: pack.alignment }] : []));

/** Bulk is what declares itself: advertising, Precedence: bulk, or a way to unsubscribe. */
const isBulk = (view: HeaderView, packs: readonly Pack[]): boolean =>
  declaredAdvertising(view, packs) !== undefined ||
  view.headers.count("list-unsubscribe") > 0 ||
  /^bulk$/i.test(view.headers.first("precedence") ?? "");

async function judge(view: HeaderView, context: Context<unknown>, missed: (author: string) => Said): Promise<Said> {
  const [author] = addressesIn(view.headers, "from").map(({ domain }) => domain);
  // From itself is envelope/header-shape's matter.
  if (author === undefined) return skip("no domain in From");
  if (context.site.signs?.(view.session, author)) return PASS;
  if (signaturesOf(view.headers).some((domain) => isAligned(domain, author))) return PASS;
  return (await provesBySpf(view, context, author)) ? PASS : missed(author);
}

const isAligned = (domain: string, author: string): boolean => organisationOf(domain) === organisationOf(author);

/** d= of the signatures it bears. That they hold is the client's own affair: nobody else's mail suffers from one that does not. */
const signaturesOf = (headers: Headers): string[] =>
  headers.fields
    .filter(({ name }) => name === "dkim-signature")
    .map(readSignature)
    .flatMap((signature) => ("domain" in signature ? [signature.domain] : []));

/** @throws Unavailable when DNS does not answer */
async function provesBySpf(
  { session, sender }: HeaderView,
  { names, clock, site }: Context<unknown>,
  author: string,
): Promise<boolean> {
  const from = sender.address;
  // What SPF says counts for the sender it leaves with.
  const domain = site.returnsTo?.(session) ?? from?.domain;
  if (!names || !from || domain === undefined || !session.client || !isAligned(domain, author)) return false;
  const [ip] = egressOf(session.client, clock.now()) ?? [];
  if (ip === undefined) return false;
  const { hostname } = site;
  const { result } = await checkHost(names.within(sender), {
    ip: ip.replace(/\/\d+$/, ""),
    domain,
    sender: `${from.local}@${domain}`,
    helo: hostname,
    receiver: hostname,
    nowMs: clock.now(),
  });
  return result === "pass";
}
