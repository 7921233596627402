import { z } from "zod";
import { canonicalIp, isIpRange } from "../kit/ip.ts";

/**
 * Every key of config/consentry.yaml with its default, unit and meaning; the reference page is generated from the
 * `.describe()` texts. Nothing outside this folder reads a raw configuration.
 */

const seconds = (n: number) => n * 1000;
const minutes = (n: number) => seconds(n * 60);
const count = (fallback: number, max = 1_000_000) => z.int().positive().max(max).default(fallback);
const timeout = (fallbackMs: number) => z.int().min(10).max(minutes(60)).default(fallbackMs);

const domain = z
  .string()
  .regex(/^(\*\.)?[\p{L}\p{N}_-]+(\.[\p{L}\p{N}_-]+)*$/u, "a domain, or *.domain for its subdomains")
  .transform((text) => text.toLowerCase());
const ipRange = z.string().refine(isIpRange, "an IP address or CIDR range");
const ruleMode = z.enum(["off", "watch", "enforce"]);

/** "127.0.0.1:2525", "[::1]:2525" or "unix:/run/consentry.sock". */
const endpoint = z
  .string()
  .refine((text) => parseEndpoint(text) !== undefined, 'IP:port, [IPv6]:port or "unix:/path"')
  .transform((text) => parseEndpoint(text) as Endpoint);

export type Endpoint = { readonly host: string; readonly port: number } | { readonly path: string };

function parseEndpoint(text: string): Endpoint | undefined {
  if (text.startsWith("unix:/")) return { path: text.slice("unix:".length) };
  const match = /^(?:\[([0-9a-f:.]+)\]|([0-9.]+)):(\d{1,5})$/i.exec(text);
  const host = match && canonicalIp(match[1] ?? match[2] ?? "");
  const port = Number(match?.[3]);
  return host && port <= 65535 ? { host, port } : undefined;
}

const listener = z.strictObject({
  door: z
    .enum(["smtp", "submission", "milter"])
    .describe("smtp: mail from the world and from clients; submission: clients only; milter: for Postfix and Sendmail"),
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
    .regex(
      /^(smtp|smtps|lmtp):\/\/\S+$|^(smtp|lmtp)\+unix:\/\S+$|^maildir:\S+$/,
      "smtp://, smtps://, lmtp://, lmtp+unix:/path or maildir:/path",
    )
    .default("smtp://127.0.0.1:10025")
    .describe("where accepted mail goes"),
  mode: z.enum(["proxy"]).default("proxy").describe("proxy: the next hop answers before we answer"),
  tls: z.enum(["never", "opportunistic", "require"]).default("opportunistic").describe("STARTTLS towards the next hop"),
  timeoutMs: timeout(minutes(2)).describe("longest wait for one reply of the next hop"),
  connectionsMax: count(100, 10_000).describe("connections kept to it"),
  idleMs: timeout(seconds(30)).describe("how long an unused one is kept"),
  mailsPerConnectionMax: count(1_000).describe("mails sent over one before it is closed"),
  caFile: z.string().optional().describe("certificates to trust at the next hop instead of the usual ones, PEM"),
  user: z.string().optional().describe("login at the next hop"),
  passwordFile: z.string().optional().describe("file with its password"),
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

const scorers = z.strictObject({
  rspamd: z
    .strictObject({
      url: z
        .string()
        .regex(/^http:\/\/[^\s/]+\/?$/, "http://host:port")
        .describe("its normal worker, such as http://127.0.0.1:11333"),
      timeoutMs: timeout(seconds(8)).describe("longest wait for a score"),
      bytesMax: count(10_485_760, 2 ** 31).describe("larger mails are not sent to it"),
      connectionsMax: count(20, 1_000).describe("questions at a time"),
      passwordFile: z.string().optional().describe("file with the password of its worker"),
    })
    .optional()
    .describe("rspamd, for content/spam-score"),
  clamd: z
    .strictObject({
      listen: endpoint.describe("where clamd listens: address and port, or unix:/path"),
      timeoutMs: timeout(seconds(15)).describe("longest wait for a scan"),
      bytesMax: count(26_214_400, 2 ** 31).describe("larger mails are not sent to it; at most its StreamMaxLength"),
      connectionsMax: count(10, 1_000).describe("scans at a time; at most its MaxThreads"),
    })
    .optional()
    .describe("clamd, for content/malware"),
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
  store: store.prefault({}).describe("what remembers consents, clients and counts"),
  dataDir: z.string().min(1).default("var").describe("embedded store, ledger, large mails in progress"),
  localDomains: z.array(domain).default([]).describe("mail for these may come from anyone"),
  relayNetworks: z.array(ipRange).default([]).describe("hosts that may relay without a login"),
  trustedProxies: z.array(ipRange).default([]).describe("hosts that may send XCLIENT, XFORWARD or the PROXY header"),
  nextHop: nextHop.prefault({}).describe("delivery"),
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
  scorers: scorers.prefault({}).describe("programs beside the relay that are asked about each mail; none by default"),
  ledger: z
    .strictObject({
      retentionDays: count(60, 36_500).describe("days entries are kept; at least what any active pack demands"),
    })
    .prefault({})
    .describe("the send and receive record"),
  limits: limits.prefault({}).describe("bounds"),
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
