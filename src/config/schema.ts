import { z } from "zod";
import { NODE_NAME } from "../kit/node-name.ts";
import { adArchive } from "./ad-archive.ts";
import { dns, list, scorers } from "./asked.ts";
import { routes, WAYS, WAYS_TEXT } from "./delivering.ts";
import { explain } from "./explain.ts";
import { overload } from "./overload.ts";
import { queue } from "./queue.ts";
import { arc, dkim, envelopeRewriting } from "./signing.ts";
import { count, domain, endpoint, ipRange, minutes, ruleMode, seconds, timeout } from "./values.ts";

export type { Endpoint } from "./values.ts";

/** Every key of config/consentry.yaml: default, unit, meaning. The reference page is made of it; only this folder reads raw text. */

const listener = z.strictObject({
  door: z
    .enum(["smtp", "submission", "milter", "http", "metrics"])
    .describe(
      "smtp: mail from the world and from clients; submission: clients only; milter: for Postfix and Sendmail; http: refusals and consents by link, what a refusal meant, the API, /healthz and /readyz; metrics: /metrics, /healthz and /readyz, for an address that only your monitoring reaches",
    ),
  listen: endpoint.describe("address and port, or unix:/path"),
  tls: z
    .enum(["off", "starttls", "implicit"])
    .default("starttls")
    .describe("starttls is offered when tls.certFile is set; implicit needs it"),
  requireTls: z.boolean().default(true).describe("AUTH only over TLS; false is allowed on loopback addresses"),
  proxyHeader: z
    .boolean()
    .default(false)
    .describe("hosts of trustedProxies begin each connection with a PROXY protocol header"),
  submissionDaemons: z
    .array(z.string())
    .default(["ORIGINATING"])
    .describe("milter: values of {daemon_name} whose sessions may only come from clients"),
  packs: z
    .array(z.string())
    .optional()
    .describe(
      "packs for what comes in here, in the place of packs.default; a client's own and a recipient's domain go before",
    ),
});

const limits = z.strictObject({
  mailBytesMax: count(52_428_800, 2 ** 31).describe("largest mail, bytes; announced as SIZE"),
  memoryBytesPerMailMax: count(1_048_576, 2 ** 31).describe("a larger mail waits on disk while it is judged"),
  lineBytesMax: count(32_768).describe("longest line of a mail, bytes without CRLF"),
  headerBytesMax: count(262_144, 16_777_216).describe("largest header block, bytes"),
  headersMax: count(1_000).describe("most header fields"),
  receivedMax: count(50, 1000).describe("most Received fields; more is a loop"),
  recipientsMax: count(1_000).describe("most recipients of one mail"),
  connectionsMax: count(2_000).describe("open connections of one worker"),
  connectionsPerIpMax: count(100).describe("open connections of one client address"),
  commandsWithoutMailMax: count(100).describe("commands between two mails before 421"),
  authFailuresMax: count(3, 100).describe("failed logins of one connection before 421"),
  idleTimeoutMs: timeout(minutes(5)).describe("silence of a client before 421 (RFC 5321 4.5.3.2.7)"),
  dataTimeoutMs: timeout(minutes(10)).describe(
    "longest time from DATA to the end of the mail, however steadily it comes (RFC 5321 4.5.3.2.5 counts silence only: that is idleTimeoutMs)",
  ),
  greetingDelayMs: z
    .int()
    .min(0)
    .max(seconds(30))
    .default(0)
    .describe("wait before greeting a stranger, to catch who talks first; clients never wait"),
  ruleTimeoutMs: timeout(seconds(20)).describe("longest a rule may take; then the mail is deferred"),
  drainMs: timeout(seconds(30)).describe("how long a stop waits for mails in progress"),
});

const store = z.strictObject({
  url: z
    .string()
    .min(1)
    .default("embedded:")
    .describe("embedded:, redis://, rediss://, redis+sentinel://h:p,h:p/name or redis+cluster://h:p,h:p"),
  timeoutMs: timeout(seconds(2)).describe("longest wait for one answer of the store"),
});

const nextHop = z.strictObject({
  to: z
    .string()
    .regex(WAYS, WAYS_TEXT)
    .default("smtp://127.0.0.1:10025")
    .describe("where accepted mail goes; mx: to the servers of its recipients' domains, which needs mode: queue"),
  mode: z
    .enum(["proxy", "queue"])
    .default("proxy")
    .describe("proxy: the next hop answers before we answer; queue: we keep the mail and deliver it later"),
  tls: z.enum(["never", "opportunistic", "require"]).default("opportunistic").describe("STARTTLS towards the next hop"),
  timeoutMs: timeout(minutes(2)).describe("longest wait for one reply of the next hop"),
  connectionsMax: count(100, 10_000).describe("connections kept to it"),
  idleMs: timeout(seconds(30)).describe("how long an unused one is kept"),
  mailsPerConnectionMax: count(1_000).describe("mails sent over one before it is closed"),
  caFile: z.string().optional().describe("certificates to trust at the next hop instead of the usual ones, PEM"),
  user: z.string().optional().describe("login at the next hop"),
  passwordFile: z.string().optional().describe("file with its password"),
  mailboxes: z
    .array(
      z
        .string()
        .regex(/^[^@\s]+@[^@\s]+$/, "local-part@domain")
        .toLowerCase(),
    )
    .optional()
    .describe("with maildir: the addresses that exist, with any +detail; without this key every one does"),
});

const packs = z.strictObject({
  default: z
    .array(z.string())
    .default(["cn-2006", "vn-2008"])
    .describe(
      "packs whose law protects a recipient unless his domain says otherwise; the label of any of them will do",
    ),
  byRecipientDomain: z.record(domain, z.array(z.string())).default({}).describe("domain: [packs]"),
  modes: z
    .record(z.string(), ruleMode)
    .default({ "cn-2006": "enforce", "vn-2008": "enforce" })
    .describe("off, watch or enforce for each pack; one that is not named here is watched"),
  directory: z.string().optional().describe("packs of your own, besides those that come with consentry"),
});

const refusals = z.strictObject({
  address: z
    .email("an address in one of localDomains")
    .transform((text) => text.toLowerCase())
    .optional()
    .describe("mail to it is a refusal or a consent and ends here; also the sender of confirmations"),
  publicUrl: z
    .url({ protocol: /^https?$/, error: "https://host, or http:// for tests" })
    .transform((text) => text.replace(/\/+$/, ""))
    .optional()
    .describe("where the http door is seen from outside; links to refuse and to agree begin with it"),
  confirm: z.boolean().default(true).describe("a refusal is confirmed by one mail (needs address)"),
  addHeaders: z
    .boolean()
    .default(true)
    .describe("clients' advertisements without List-Unsubscribe get it, with address or publicUrl"),
  requestDays: count(30, 3650).describe("how long a request for consent may be answered, days"),
  apiTokenFile: z.string().optional().describe("file with the secret of those who may call the API; none: it is shut"),
});

/** "group/rule": a mode, or a mode and the rule's own options (checked by the rule). */
const rules = z
  .object({
    default: ruleMode
      .default("enforce")
      .describe("for every rule that is not named: off, watch (only written down) or enforce"),
  })
  .catchall(z.union([ruleMode, z.looseObject({ mode: ruleMode.optional() })]));

export const configSchema = z.strictObject({
  hostname: z.string().min(1).default("localhost").describe("our name in greetings and trace headers"),
  listeners: z
    .array(listener)
    .min(1)
    .default([
      {
        door: "smtp",
        listen: { host: "127.0.0.1", port: 2525 },
        tls: "starttls",
        requireTls: true,
        proxyHeader: false,
        submissionDaemons: ["ORIGINATING"],
      },
      {
        door: "submission",
        listen: { host: "127.0.0.1", port: 2587 },
        tls: "starttls",
        requireTls: true,
        proxyHeader: false,
        submissionDaemons: ["ORIGINATING"],
      },
    ])
    .describe("the doors"),
  tls: z
    .strictObject({ certFile: z.string().describe("PEM chain"), keyFile: z.string().describe("PEM key") })
    .optional()
    .describe("certificate for STARTTLS and implicit TLS"),
  workers: z
    .union([z.enum(["auto"]), z.int().min(1).max(64)])
    .default(1)
    .describe("processes that share the doors: 1 needs no supervisor; auto: one for every two processors"),
  store: store.prefault({}).describe("what remembers consents, clients and counts"),
  dataDir: z
    .string()
    .min(1)
    .default("var")
    .describe("embedded store, ledger, queue, keys made here, large mails in progress"),
  localDomains: z.array(domain).default([]).describe("mail for these may come from anyone"),
  relayNetworks: z.array(ipRange).default([]).describe("hosts that may relay without a login"),
  trustedProxies: z.array(ipRange).default([]).describe("hosts that may send XCLIENT, XFORWARD or the PROXY header"),
  dns: dns.prefault({}).describe("who is asked about names, and what that may cost"),
  lists: z.array(list).default([]).describe("lists of addresses that send spam, or never do"),
  arc: arc.optional().describe("ARC seals on mail that goes on (RFC 8617)"),
  dkim: dkim.prefault({}).describe("DKIM signatures on mail of our own clients, where the domain in From has a key"),
  envelopeRewriting: envelopeRewriting.prefault({}).describe("envelope senders of mail that goes on (SRS, VERP)"),
  nextHop: nextHop.prefault({}).describe("delivery"),
  queue: queue.prefault({}).describe("mail in our custody, with nextHop.mode: queue"),
  routes,
  refusals: refusals.prefault({}).describe("how recipients refuse and agree"),
  explain: explain.prefault({}).describe("a page that tells whoever was refused what it meant"),
  packs: packs.prefault({}).describe("which law protects whom"),
  rules: rules.prefault({}).describe('default mode, then "group/rule": mode or { mode, options }'),
  detection: z
    .strictObject({
      modelFile: z
        .string()
        .optional()
        .describe("a model of your own, made by scripts/train, instead of the one that ships"),
    })
    .prefault({})
    .describe("what tells an advertisement by its words; what follows is said in rules: advertising/detect"),
  adArchive: adArchive.prefault({}).describe("encrypted copies of what advertising services send, where a law asks"),
  scorers: scorers.prefault({}).describe("programs beside the relay that are asked about each mail; none by default"),
  ledger: z
    .strictObject({
      retentionDays: count(60, 36_500).describe("days entries are kept; at least what any active pack demands"),
      awayDaysMax: count(7, 36_500).describe(
        "the clock may go forward so many days while the machine is off; after more, no day is deleted until somebody confirms the clock",
      ),
      archiveDir: z
        .string()
        .min(1)
        .optional()
        .describe("where days are archived; nodes may share it; default: ledger in dataDir"),
      node: z
        .string()
        .regex(NODE_NAME, 'small letters, digits, "-" and ".", at most 63')
        .optional()
        .describe("name of this node in the archive, unlike any other's; default: made in dataDir"),
      archiveKeyFile: z
        .string()
        .optional()
        .describe(
          "32 bytes, also in hexadecimal or base64; with it the archive is encrypted (AES-256-GCM); without it, not",
        ),
      archiveKey: z
        .string()
        .optional()
        .describe("the same as a text: name a variable of the environment here, never the key itself"),
      memoryMb: count(256, 1_048_576).describe("most memory for archiving, and for one search, MB"),
      sealKeyFile: z
        .string()
        .optional()
        .describe("Ed25519 key that signs days and exports, PKCS #8 PEM; default: made in dataDir"),
      sealKey: z
        .string()
        .optional()
        .describe("the same as a text: name a variable of the environment here, never the key itself"),
      anchorFile: z
        .string()
        .optional()
        .describe("one line is added for each sealed day; keep it where the archive cannot be reached from"),
      auditors: z
        .array(z.string())
        .optional()
        .describe("logins that see whole addresses and answer requests; default: everybody who can read the files"),
      mayActAs: z
        .array(z.string())
        .default([])
        .describe("logins that may say with --as for whom they ask; for accounts that several people share"),
    })
    .prefault({})
    .describe("the send and receive record"),
  limits: limits.prefault({}).describe("bounds"),
  overload: overload
    .prefault({})
    .describe(
      "beyond these strangers' mail is put off (4xx); clients' from twice as much (memory: 110 %, disk: half), connections are turned away from four times (120 %, a quarter); mail to postmaster last",
    ),
  secretFile: z.string().optional().describe("key for ids and hashes, shared by all nodes; default: made in dataDir"),
  log: z
    .strictObject({
      level: z.enum(["debug", "info", "warn", "error", "silent"]).default("info").describe("least level written"),
      format: z.enum(["auto", "json", "pretty"]).default("auto").describe("auto: pretty on a terminal"),
    })
    .prefault({})
    .describe("what operators read"),
});

export type Config = z.infer<typeof configSchema>;
export type Listener = Config["listeners"][number];
export type RuleMode = z.infer<typeof ruleMode>;
