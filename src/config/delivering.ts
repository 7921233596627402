import { isIP } from "node:net";
import { z } from "zod";
import { LANGUAGES } from "../mail/language.ts";
import { count, domain, ipRange, minutes, seconds, timeout } from "./values.ts";

/** Where queued mail goes and how long each step may take: keys of `queue` and the entries of `routes`. */

export const WAYS = /^(smtp|smtps|lmtp):\/\/\S+$|^(smtp|lmtp)\+unix:\/\S+$|^maildir:\S+$|^mx:\d{0,5}$/;
export const WAYS_TEXT = "smtp://, smtps://, lmtp://, lmtp+unix:/path, maildir:/path or mx:";

const ip = z.string().refine((text) => isIP(text) !== 0, "an IP address");

/** A bound that is none unless it is given. */
const most = (max: number) => z.int().positive().max(max);

export const route = z
  .strictObject({
    domains: z.array(domain).min(1).optional().describe("recipients' domains it is for; default: all"),
    clients: z.array(z.string().min(1)).min(1).optional().describe("clients it is for; default: everybody"),
    to: z
      .string()
      .regex(WAYS, WAYS_TEXT)
      .optional()
      .describe("a smart host, or mx: for the domain's own servers; default: nextHop.to"),
    tls: z
      .enum(["never", "opportunistic", "require"])
      .optional()
      .describe("require: only over TLS with a certificate of the server that is called; default: nextHop.tls"),
    egress: z
      .array(ip)
      .default([])
      .describe("addresses of this machine that mail leaves from; default: the system chooses"),
    connectionsMax: most(10_000).optional().describe("most mails at a time to one destination"),
    mailsPerMinute: most(1_000_000).optional().describe("most mails a minute to one destination"),
    caFile: z.string().optional().describe("certificates to trust at the smart host instead of the usual ones, PEM"),
    user: z.string().optional().describe("login at the smart host"),
    passwordFile: z.string().optional().describe("file with its password"),
  })
  .refine(
    (each) => (each.user === undefined) === (each.passwordFile === undefined),
    "user and passwordFile go together",
  );

const timeouts = z.strictObject({
  connectMs: timeout(seconds(30)).describe("for a connection"),
  greetingMs: timeout(minutes(5)).describe("for the greeting (RFC 5321 4.5.3.2.1: 5 min)"),
  helloMs: timeout(minutes(5)).describe("for each answer to EHLO, STARTTLS and AUTH"),
  tlsMs: timeout(minutes(1)).describe("for the TLS handshake"),
  mailMs: timeout(minutes(5)).describe("for the answer to MAIL (RFC 5321 4.5.3.2.2: 5 min)"),
  rcptMs: timeout(minutes(5)).describe("for each answer to RCPT (RFC 5321 4.5.3.2.3: 5 min)"),
  dataMs: timeout(minutes(2)).describe("for the answer to DATA (RFC 5321 4.5.3.2.4: 2 min)"),
  blockMs: timeout(minutes(3)).describe(
    "for the server to take the next piece of the mail (RFC 5321 4.5.3.2.5: 3 min)",
  ),
  endMs: timeout(minutes(10)).describe("for the answer to the whole mail (RFC 5321 4.5.3.2.6: 10 min)"),
});

/** Keys of `queue` that say how mail is carried. */
export const delivering = {
  connectionsMax: count(500, 10_000).describe("open connections to all destinations together"),
  connectionsPerDestinationMax: count(20, 10_000).describe(
    "mails at a time to one destination: a domain, or a smart host",
  ),
  mailsPerMinutePerDestination: most(1_000_000)
    .optional()
    .describe("mails a minute to one destination; default: no bound"),
  mxHostsMax: count(5, 50).describe("servers of a domain that are looked up, by preference"),
  mxAddressesMax: count(8, 100).describe("their addresses that may be called in one attempt"),
  sessionsPerAttemptMax: count(2, 20).describe(
    "servers that are spoken to in one attempt; who cannot be reached does not count",
  ),
  recipientsPerMailMax: count(100, 1_000).describe("recipients of one SMTP transaction"),
  mxNetworks: z
    .array(ipRange)
    .default([])
    .describe("private and loopback networks that an MX may lie in; elsewhere in such networks nobody is called"),
  mtaSts: z.boolean().default(true).describe("ask for domains' MTA-STS policies and keep them (RFC 8461)"),
  eightBitAnyway: z
    .boolean()
    .default(false)
    .describe("send 8-bit text also to servers that do not offer 8BITMIME; else such mail comes back (5.6.3)"),
  slowMs: timeout(minutes(15)).describe("a delivery that takes longer is named in the log, with destination and step"),
  reportLanguage: z
    .enum(["auto", ...LANGUAGES])
    .default("auto")
    .describe("of reports to senders; auto: those of the packs of the sender's domain or client, and English"),
  reportFrom: z
    .email("an address")
    .optional()
    .describe("who reports to senders are from; default: mailer-daemon@ and hostname"),
  timeouts: timeouts.prefault({}).describe("longest waits of a delivery, for each step"),
};

const isMx = (to: string | undefined): boolean => to !== undefined && /^mx:/i.test(to);

/** What sections that deliver ask of each other: keys, and what is wrong there. */
export function wayContradictions({
  nextHop,
  routes,
  dns,
}: {
  readonly nextHop: { readonly to: string; readonly mode: string };
  readonly routes: readonly { readonly to?: string | undefined }[];
  readonly dns: { readonly servers: readonly unknown[] };
}): [string[], string][] {
  if (isMx(nextHop.to) && nextHop.mode === "proxy") {
    return [[["nextHop", "to"], "mx: needs mode: queue; while a client waits one next hop answers"]];
  }
  const byMx = isMx(nextHop.to) || routes.some(({ to }) => isMx(to));
  if (!byMx || dns.servers.length > 0) return [];
  return [[["dns", "servers"], "mx: needs DNS; name the servers to ask, or system"]];
}
