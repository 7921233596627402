/** Views and contexts from short descriptions, for tests of rules and of what runs them. */
import { join } from "node:path";
import type { Pack } from "../../src/law/pack.ts";
import { loadPacks } from "../../src/law/packs.ts";
import type { Client } from "../../src/mail/client.ts";
import { domainList } from "../../src/mail/domains.ts";
import { Headers } from "../../src/mail/headers.ts";
import { parsePathWithParams } from "../../src/mail/path.ts";
import type { BodyView, Recipient, Sender, Session, Views } from "../../src/mail/views.ts";
import type { ManagementCode } from "../../src/registers/codes.ts";
import type { CapGrant, ConsentQuotas } from "../../src/registers/consent-quotas.ts";
import type { ConsentReader, Standing } from "../../src/registers/consents.ts";
import type { Context } from "../../src/rules/define.ts";

/** Sunday 2026-11-22 08:00 UTC. */
export const NOW_MS = Date.UTC(2026, 10, 22, 8);
export const HOSTNAME = "relay.example.net";
/** Mail ids that the described site gave out. */
export const OUR_ID = "OURS-1";

/** A mail from a stranger to a local recipient, except for what is said. */
export interface Described {
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
  /** "advertiser recipient", with a trailing "withdrawn" for a refusal. */
  readonly consents?: readonly string[];
  /** More of what these consents cover. */
  readonly agreed?: Pick<Standing, "limit" | "hours"> & { readonly topics?: readonly string[] };
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

export const headersOf = (lines: string | Buffer): Headers =>
  Headers.parse(typeof lines === "string" ? Buffer.from(`${lines}\n\n`.replace(/\r?\n/g, "\r\n")) : lines);

/** Every view of a described mail; `rcpt` is that of one recipient. */
export function viewsOf(mail: Described) {
  const session = sessionOf(mail);
  const mailView = { session, mailId: "mail", sender: senderOf(mail.from) };
  const recipients = (mail.to ?? ["ann@example.com"]).map(recipientOf);
  const ordinary = Object.values(ORDINARY).join("\n");
  const headers = headersOf(mail.header ?? (mail.with === undefined ? ordinary : `${ordinary}\n${mail.with}`));
  return {
    connect: { session },
    helo: { session },
    mail: mailView,
    rcpt: recipients.map((recipient) => ({ ...mailView, recipient })),
    header: { ...mailView, recipients, headers },
  } satisfies { [S in Exclude<keyof Views, "rcpt" | "body">]: Views[S] } & { rcpt: readonly Views["rcpt"][] };
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

/** What rules of a described site are handed, without options of their own. */
export function contextOf(mail: Described = {}): Omit<Context<never>, "options"> {
  const packs = mail.packs ?? [packOf("cn-2006"), packOf("vn-2008")];
  return {
    clock: { now: () => mail.nowMs ?? NOW_MS },
    site: {
      hostname: mail.hostname ?? HOSTNAME,
      isLocal: domainList(["example.com", "*.branch.example.com", "例子.测试"]).has,
      isOurId: (id) => id === OUR_ID,
    },
    packsFor: ({ address }) => mail.packsByDomain?.[address.domain] ?? packs,
    consents: consentsOf(mail.consents, mail.agreed),
    quotas: quotasOf(mail),
    codes: {
      byCode: async (code) => mail.codes?.find((each) => each.code === code),
      heldBy: async (holder) => mail.codes?.filter((each) => each.holder === holder) ?? [],
    },
  };
}
