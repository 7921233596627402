/** Views and contexts from short descriptions, for tests of rules and of what runs them. */
import { join } from "node:path";
import type { Pack } from "../../src/law/pack.ts";
import { loadPacks } from "../../src/law/packs.ts";
import type { Client } from "../../src/mail/client.ts";
import type { Content } from "../../src/mail/content.ts";
import { domainList } from "../../src/mail/domains.ts";
import { Headers } from "../../src/mail/headers.ts";
import { parsePathWithParams } from "../../src/mail/path.ts";
import type { BodyView, Recipient, Sender, Session, Views } from "../../src/mail/views.ts";
import { NO_DETECTION } from "../../src/pipeline/detection.ts";
import type { ManagementCode } from "../../src/registers/codes.ts";
import type { CapGrant, ConsentQuotas } from "../../src/registers/consent-quotas.ts";
import type { ConsentReader, Standing } from "../../src/registers/consents.ts";
import type { Scorers } from "../../src/rules/content/scorers.ts";
import type { Context, RefusalWay } from "../../src/rules/define.ts";
import type { Block } from "../../src/signals/blocks.ts";
import type { CampaignGrant } from "../../src/signals/campaigns.ts";
import type { ConductReader } from "../../src/signals/conduct.ts";
import type { Detection } from "../../src/signals/detector.ts";
import { type Suspicion, UNSUSPECTED } from "../../src/signals/harvest.ts";
import { type Listing, type ListReader, NO_LISTS } from "../../src/signals/lists.ts";
import type { Alarm } from "../../src/signals/logins.ts";
import type { Usage } from "../../src/signals/quotas.ts";
import { contentOf as letterContent } from "./letters.ts";
import { namesOf } from "./names.ts";

/** Sunday 2026-11-22 08:00 UTC. */
export const NOW_MS = Date.UTC(2026, 10, 22, 8);
export const HOSTNAME = "relay.example.net";
/** Mail ids that the described site gave out. */
export const OUR_ID = "OURS-1";

/** What was noticed of the client; absent: nothing. */
export interface DescribedConduct {
  readonly block?: Block;
  readonly suspicion?: Partial<Suspicion>;
  readonly alarm?: Alarm;
  readonly used?: Usage;
  /** What of its campaign is used up. */
  readonly campaign?: CampaignGrant;
}

/** A mail from a stranger to a local recipient, except for what is said. */
export interface Described {
  /** Where recipients refuse; default: nowhere. */
  readonly refusalWay?: RefusalWay;
  readonly ip?: string;
  readonly serverIp?: string;
  readonly helo?: string;
  readonly login?: string;
  readonly client?: Partial<Client>;
  readonly relayNetwork?: boolean;
  readonly role?: Session["role"];
  /** Between the angle brackets of MAIL FROM; "" is the null path. */
  readonly from?: string;
  /** Between the angle brackets of RCPT TO. */
  readonly to?: readonly string[];
  /** The whole header block, lines ended by \n; absent: an ordinary one. */
  readonly header?: string | Buffer;
  /** Lines besides the ordinary header block. */
  readonly with?: string;
  /** What follows the header block, lines ended by \n; absent: nothing. */
  readonly body?: string | Buffer;
  /** What DNS says, as zoneOf reads it; absent: no server is named. */
  readonly dns?: readonly string[];
  /** "advertiser recipient", with a trailing "withdrawn" for a refusal. */
  readonly consents?: readonly string[];
  /** More of what these consents cover. */
  readonly agreed?: Pick<Standing, "limit" | "hours" | "bounces"> & { readonly topics?: readonly string[] };
  /** How many were sent already, of every cap and agreed number. */
  readonly sent?: number;
  readonly options?: Readonly<Record<string, unknown>>;
  readonly codes?: readonly ManagementCode[];
  /** Another name of the server. */
  readonly hostname?: string;
  /** Absent: cn-2006 and vn-2008 for everybody. */
  readonly packs?: readonly Pack[];
  /** Other packs for recipients of these domains. */
  readonly packsByDomain?: Readonly<Record<string, readonly Pack[]>>;
  readonly nowMs?: number;
  readonly scorers?: Scorers;
  readonly conduct?: DescribedConduct;
  /** What the lists say of its address; absent: there is no list. */
  readonly lists?: Listing;
  readonly detection?: Detection;
  /** Domains in From that have a key here; absent: nothing is signed. */
  readonly signs?: readonly string[];
  /** Mail leaves with a sender of this domain of ours. */
  readonly returnsTo?: string;
}

export const ORDINARY = {
  from: "From: Bob <bob@sender.example>",
  date: "Date: Sun, 22 Nov 2026 07:30:00 +0000",
  subject: "Subject: minutes of the meeting",
};

const OWN_PACKS = loadPacks(join(import.meta.dirname, "../../config/packs"));

/** A pack that comes with consentry. */
export function packOf(id: string): Pack {
  const pack = OWN_PACKS.get(id);
  if (!pack) throw new Error(`no pack ${id}`);
  return pack;
}

export const clientOf = (more: Partial<Client> = {}): Client => ({
  id: "shop",
  kind: "isp-customer",
  networks: [],
  domains: ["shop.example"],
  disabled: false,
  ...more,
});

export function sessionOf(mail: Described = {}): Session {
  return {
    id: "session",
    door: mail.role === "submission" ? "submission" : "smtp",
    role: mail.role ?? "mx",
    clientIp: mail.ip ?? "203.0.113.9",
    clientPort: 40025,
    serverIp: mail.serverIp ?? "192.0.2.25",
    serverPort: 25,
    helo: mail.helo ?? "mx.sender.example",
    inRelayNetworks: mail.relayNetwork ?? false,
    ...(mail.login !== undefined && { login: mail.login }),
    ...(mail.client && { client: clientOf(mail.client) }),
  };
}

function pathOf(text: string) {
  const read = parsePathWithParams(`<${text}>`);
  if (!read) throw new Error(`no path: <${text}>`);
  return read.path;
}

export const senderOf = (text = "bob@sender.example"): Sender => ({
  address: pathOf(text).address,
  eightBit: false,
  smtpUtf8: false,
  requireTls: false,
});

export function recipientOf(text: string): Recipient {
  const { address, sourceRoute } = pathOf(text);
  if (!address) throw new Error("a recipient has an address");
  return { address, ...(sourceRoute !== undefined && { sourceRoute }) };
}

const blockOf = (lines: string | Buffer): Buffer =>
  typeof lines === "string" ? Buffer.from(`${lines}\n\n`.replace(/\r?\n/g, "\r\n")) : lines;

export const headersOf = (lines: string | Buffer): Headers => Headers.parse(blockOf(lines));

function headerOf({ header, with: more }: Described): string | Buffer {
  const ordinary = Object.values(ORDINARY).join("\n");
  return header ?? (more === undefined ? ordinary : `${ordinary}\n${more}`);
}

/** Made once for each description: whoever remembers a mail by its content finds it again. */
const contents = new WeakMap<Described, Content>();

function contentOf(mail: Described): Content {
  const known = contents.get(mail);
  if (known) return known;
  const crlf = (text: string): Buffer => Buffer.from(text.replace(/\r?\n/g, "\r\n"));
  const header = headerOf(mail);
  const block = typeof header === "string" ? crlf(`${header}\n\n`) : header;
  const { body = "" } = mail;
  const made = letterContent(Buffer.concat([block, typeof body === "string" ? crlf(body) : body]));
  contents.set(mail, made);
  return made;
}

/** Every view of a described mail; `rcpt` is that of one recipient. */
export function viewsOf(mail: Described) {
  const session = sessionOf(mail);
  const mailView = { session, mailId: "mail", sender: senderOf(mail.from) };
  const recipients = (mail.to ?? ["ann@example.com"]).map(recipientOf);
  const headers = headersOf(headerOf(mail));
  const header = { ...mailView, recipients, headers };
  return {
    connect: { session },
    helo: { session },
    mail: mailView,
    rcpt: recipients.map((recipient) => ({ ...mailView, recipient })),
    header,
    body: { ...header, content: contentOf(mail) },
    handover: { ...header, reliances: [] },
  } satisfies { [S in Exclude<keyof Views, "rcpt">]: Views[S] } & { rcpt: readonly Views["rcpt"][] };
}

export type DescribedViews = ReturnType<typeof viewsOf>;
export type { BodyView };

export function consentsOf(lines: readonly string[] = [], agreed: Described["agreed"] = {}): ConsentReader {
  const known = new Map(lines.map((line) => [line.split(" ").slice(0, 2).join(" "), line.endsWith(" withdrawn")]));
  return {
    async standing(advertiser, recipients) {
      return recipients.map((recipient): Standing | undefined => {
        const withdrawn = known.get(`${advertiser} ${recipient}`);
        if (withdrawn === undefined) return undefined;
        const granted = { topics: [], grantedAtMs: NOW_MS - 1, ...agreed };
        return withdrawn ? { ...granted, withdrawnAtMs: NOW_MS } : granted;
      });
    },
  };
}

/** Quotas of which some are taken; asking again changes nothing, so that a rule can be asked twice. */
export function quotasOf({ consents, agreed, sent = 0, nowMs = NOW_MS }: Described): ConsentQuotas {
  const reader = consentsOf(consents, agreed);
  const grantOf = (quota: { name: string | undefined; max: number; windowMs: number }, id: string): CapGrant => ({
    ...quota,
    granted: sent < quota.max,
    taken: Math.min(sent + 1, quota.max),
    freesAtMs: nowMs + quota.windowMs,
    claim: { partition: "recipient", id },
  });
  const ask: ConsentQuotas["take"] = async (advertiser, asks) => {
    const standings = await reader.standing(
      advertiser,
      asks.map(({ recipient }) => recipient),
    );
    return asks.map(({ caps }, index) => {
      const standing = standings[index];
      const own = standing?.limit;
      const grants = caps.filter((cap) => !(own && cap.unlessAgreed)).map((cap) => grantOf(cap, cap.name));
      return { standing, grants: own ? [...grants, grantOf({ ...own, name: undefined }, "agreed")] : grants };
    });
  };
  return { take: ask, look: ask };
}
/** Conduct as described; nobody is noticed unless it says so. */
export const conductOf = ({ block, suspicion, alarm, used, campaign }: DescribedConduct = {}): ConductReader => ({
  standing: () => (block ? { block, sinceMs: 0 } : { sinceMs: 0 }),
  suspicion: () => ({ ...UNSUSPECTED, ...suspicion }),
  alarm: () => alarm,
  takeMail: () => used,
  takeCampaign: async () => campaign ?? { keys: [] },
});

const listsOf = (listing: Listing | undefined): ListReader =>
  listing ? { isEmpty: false, look: async () => listing } : NO_LISTS;

/** What rules of a described site are handed, without options of their own. */
export function contextOf(mail: Described = {}): Omit<Context<never>, "options"> {
  const packs = mail.packs ?? [packOf("cn-2006"), packOf("vn-2008")];
  return {
    clock: { now: () => mail.nowMs ?? NOW_MS },
    site: {
      hostname: mail.hostname ?? HOSTNAME,
      isLocal: domainList(["example.com", "*.branch.example.com", "例子.测试"]).has,
      isOurId: (id) => id === OUR_ID,
      ...(mail.returnsTo !== undefined && { returnsTo: () => mail.returnsTo }),
      ...(mail.signs && { signs: (_, author) => mail.signs?.includes(author) ?? false }),
    },
    packsFor: ({ address }) => mail.packsByDomain?.[address.domain] ?? packs,
    packsUnder: () => packs,
    consents: consentsOf(mail.consents, mail.agreed),
    refusalWay: () => mail.refusalWay ?? {},
    detection: mail.detection ?? NO_DETECTION,
    scorers: mail.scorers ?? {},
    quotas: quotasOf(mail),
    codes: {
      byCode: async (code) => mail.codes?.find((each) => each.code === code),
      heldBy: async (holder) => mail.codes?.filter((each) => each.holder === holder) ?? [],
    },
    conduct: conductOf(mail.conduct),
    lists: listsOf(mail.lists),
    ...(mail.dns && { names: namesOf(mail.dns) }),
  };
}
