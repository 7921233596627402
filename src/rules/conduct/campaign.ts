import { z } from "zod";
import { type IpRanges, ipRanges } from "../../kit/ip.ts";
import type { Campaign } from "../../mail/client.ts";
import type { MailView, Recipient } from "../../mail/views.ts";
import type { CampaignGrant } from "../../signals/campaigns.ts";
import { type Claim, defer, defineRule, type Finding, PASS, reject, skip } from "../define.ts";

export const campaign = defineRule({
  id: "conduct/campaign",
  title: "A campaign is what was declared before it began",
  why: "Who sends advertising in bulk says beforehand from which addresses, under which HELO and sender, to how many, how fast and\nwhen. A client with declared campaigns (consentry client campaign) sends what fits one of them and nothing else; recipients\nare counted over all nodes. Register away: deferred, never passed.",
  sources: [
    { cite: "ISC e-mail marketing specification V1.2", confidence: "C2" },
    { cite: "Order 38 (CN 2006) art. 12(1)", confidence: "C3" },
  ],
  falseAlarms: [
    "A client with one campaign that also writes ordinary mail: give that a client of its own",
    "More recipients in one mail than are declared for a minute: they never pass; send them in several mails",
  ],
  options: z.strictObject({}),
  looks: {
    mail(view, { clock }) {
      const { client } = view.session;
      if (!client?.campaigns?.length) return skip(client ? "no campaign is declared" : "no client");
      if (client.campaigns.some((each) => misfit(each, view, clock.now()) === undefined)) return PASS;
      const nearest = client.campaigns.find((each) => isRunning(each, clock.now())) ?? client.campaigns[0];
      const wrong = nearest && misfit(nearest, view, clock.now());
      return reject("campaign-undeclared", {
        detail: `${nearest?.name}: ${wrong}`,
        evidence: { client: client.id, campaign: nearest?.name ?? "", misfit: wrong ?? "" },
      });
    },
    header(view, { clock, conduct }) {
      const { client } = view.session;
      if (!client?.campaigns) return skip("no campaign is declared");
      const fitting = client.campaigns.find((each) => misfit(each, view, clock.now()) === undefined);
      if (!fitting) return skip("no campaign that fits");
      const { recipients } = view;
      return conduct
        .takeCampaign(client, fitting, recipients.length)
        .then((grant) => findingOf(grant, { client: client.id, fitting, recipients }));
    },
  },
});

interface Asked {
  readonly client: string;
  readonly fitting: Campaign;
  readonly recipients: readonly Recipient[];
}

function findingOf({ full, taken = 0, keys }: CampaignGrant, { client, fitting, recipients }: Asked): Finding {
  if (full === undefined) return keys.length > 0 ? { ...PASS, claims: claimsOf(recipients, keys) } : PASS;
  const max = full === "number" ? fitting.recipientsMax : (fitting.perMinuteMax ?? 0);
  const about = {
    detail: `${fitting.name}: ${max}`,
    evidence: { client, campaign: fitting.name, max, taken, recipients: recipients.length },
  };
  return full === "number" ? reject("campaign-number", about) : defer("campaign-rate", about);
}

const claimsOf = (recipients: readonly Recipient[], keys: readonly Claim["key"][]): Claim[] =>
  recipients.flatMap((recipient) => keys.map((key) => ({ recipient, key })));

const isRunning = ({ fromMs, untilMs }: Campaign, nowMs: number): boolean => fromMs <= nowMs && nowMs < untilMs;

/** What does not fit, in words for the client; undefined: it all does. */
function misfit(declared: Campaign, { session, sender }: MailView, nowMs: number): string | undefined {
  const { senders, helo, fromMs, untilMs } = declared;
  if (nowMs < fromMs) return `begins ${minuteOf(fromMs)}`;
  if (nowMs >= untilMs) return `ended ${minuteOf(untilMs)}`;
  const { address } = sender;
  if (address && !senders.includes(address.key) && !senders.includes(`@${address.domain}`)) {
    return "another sender was declared";
  }
  if (helo.length > 0 && !helo.includes(session.helo ?? "")) return `HELO ${helo.slice(0, 3).join(" or ")}`;
  return networksOf(declared)?.has(session.clientIp) === false ? "another address was declared" : undefined;
}

const minuteOf = (ms: number): string => `${new Date(ms).toISOString().slice(0, 16)}Z`;

const compiled = new WeakMap<Campaign, IpRanges>();

/** undefined: any will do. */
function networksOf(declared: Campaign): IpRanges | undefined {
  if (declared.networks.length === 0) return undefined;
  const known = compiled.get(declared) ?? ipRanges(declared.networks);
  compiled.set(declared, known);
  return known;
}
